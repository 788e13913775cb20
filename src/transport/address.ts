import { CleatError } from "../errors/index.ts";

/** Where a plugin listens, as in spec files. */
export type Address = { readonly unix: string } | { readonly tcp: { readonly host: string; readonly port: number } };

/**
 * Reads "unix:///run/x.sock", "tcp://127.0.0.1:8080" or "tcp://[::1]:8080".
 * @throws INVALID_ARGUMENT when `text` is neither.
 */
export function parseAddress(text: string): Address {
  if (text.startsWith("unix:///")) return { unix: text.slice("unix://".length) };
  const tcp = /^tcp:\/\/(?:\[([0-9a-fA-F:.]+)\]|([^/:[\]]+)):(\d{1,5})\/?$/.exec(text);
  const port = Number(tcp?.[3]);
  if (tcp === null || port > 65_535) {
    throw new CleatError("INVALID_ARGUMENT", `address "${text}" is neither unix:///PATH nor tcp://HOST:PORT`);
  }
  return { tcp: { host: tcp[1] ?? tcp[2] ?? "", port } };
}

export function formatAddress(address: Address): string {
  if ("unix" in address) return `unix://${address.unix}`;
  const { host, port } = address.tcp;
  return `tcp://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

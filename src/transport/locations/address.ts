import { isIPv6 } from "node:net";
import { CleatError } from "../../errors/index.ts";

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Where a plugin listens, as in spec files. `https` is TLS on TCP; `tcp` is in plaintext. */
export type Address = { readonly unix: string } | { readonly tcp: HostAndPort } | { readonly https: HostAndPort };

/**
 * Reads "unix:///run/x.sock", "tcp://127.0.0.1:8080" (also spelled "http://…"), "https://plugins.example:8443" or
 * "tcp://[::1]:8080". As Docker does, it takes 80 and 443 for a port that is not there, and drops a path that follows.
 * Source: moby v20.10.24 `pkg/plugins/client.go`, `newTransport`; `net/http` of Go 1.18.
 * @throws INVALID_ARGUMENT when `text` is none of them.
 */
export function parseAddress(text: string): Address {
  if (text.startsWith("unix:///")) return { unix: text.slice("unix://".length) };
  const found = /^(tcp|http|https):\/\/(?:\[([0-9a-fA-F:.]+)\]|([^\s/:[\]@?#]+))(?::(\d{1,5}))?(?:\/[^\s?#]*)?$/.exec(
    text,
  );
  const [, scheme, ipv6, name = ""] = found ?? [];
  const port = Number(found?.[4] ?? (scheme === "https" ? 443 : 80));
  if (found === null || port > 65_535 || (ipv6 !== undefined && !isIPv6(ipv6))) {
    const forms = "unix:///PATH, tcp://HOST:PORT or https://HOST:PORT";
    throw new CleatError("INVALID_ARGUMENT", `address ${JSON.stringify(text)} is none of ${forms}`);
  }
  const place = { host: ipv6 ?? name, port };
  return scheme === "https" ? { https: place } : { tcp: place };
}

export function formatAddress(address: Address): string {
  if ("unix" in address) return `unix://${address.unix}`;
  const [scheme, { host, port }] = "tcp" in address ? ["tcp", address.tcp] : ["https", address.https];
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { isSystemError, toCleatError } from "../../errors/index.ts";
import { createDiscovery, type Discovery } from "../../host/index.ts";
import { assertPluginName, pluginNamePattern } from "../../protocol/index.ts";
import {
  type Address,
  createHttpTransport,
  formatAddress,
  parseAddress,
  silentLogger,
  type TlsClientOptions,
  type Transport,
} from "../../transport/index.ts";
import { type CommandContext, orUsageError, UsageError } from "../terminal/command.ts";
import { findLocations } from "../terminal/default-folders.ts";
import { printable } from "../terminal/printable.ts";

/** A plugin as the command line named it. */
export interface NamedPlugin {
  readonly name: string;
  /** The file that told of it, if one did. */
  readonly path?: string | undefined;
  readonly address: Address;
  readonly tls: TlsClientOptions | undefined;
}

/**
 * The plugin that `text` names: an address, a socket's path (with a slash in it) or a name, which is looked up where
 * engines do.
 * @throws PluginNotFoundError (NOT_FOUND) when nothing has that name; it lists where it looked.
 * @throws UsageError when it is the path of something else than a socket.
 */
export async function findPlugin(text: string, context: CommandContext): Promise<NamedPlugin> {
  const address = parsePlace(text);
  if (address !== undefined) {
    await assertSocket(address);
    return { name: nameAt(address), address, tls: undefined };
  }
  orUsageError(() => assertPluginName(text));
  return await (await discover(context)).find(text);
}

/** What is not there, or may not be looked at, is told by whoever calls it. */
async function assertSocket(address: Address): Promise<void> {
  if (!("unix" in address)) return;
  const found = await stat(address.unix).catch((error: unknown) => {
    if (!isSystemError(error)) throw error;
  });
  if (found === undefined || found.isSocket()) return;
  throw new UsageError(
    `${JSON.stringify(address.unix)} is ${found.isDirectory() ? "a folder" : "a file"}, not a plugin's socket`,
  );
}

/** A transport to a plugin; says on stderr when nobody checks who answers. The caller closes it. */
export function openTransport({ address, tls }: NamedPlugin, { stderr }: CommandContext): Transport {
  if (tls?.insecureSkipVerify === true) {
    stderr.write(`cleat: TLS is not verified: whoever answers at ${formatAddress(address)} is trusted\n`);
  }
  return createHttpTransport(address, { ...(tls !== undefined && { tls }) });
}

/** Looks where the engines of this user do; says on stderr which folders may not be read. */
export async function discover(context: CommandContext): Promise<Discovery> {
  const { stderr } = context;
  const warn = (fields: { readonly err?: unknown }, message: string) =>
    stderr.write(`cleat: ${message}: ${printable(toCleatError(fields.err).message)}\n`);
  return createDiscovery(await findLocations(context), { logger: { ...silentLogger, warn } });
}

/** The address that `text` is, or the path of a socket; `undefined` for a name. */
export function parsePlace(text: string): Address | undefined {
  if (text.includes("://")) return orUsageError(() => parseAddress(text));
  return text.includes("/") ? { unix: resolve(text) } : undefined;
}

/** What the plugin there may be called: its socket's name, or else its address. */
export function nameAt(address: Address): string {
  const name = "unix" in address ? address.unix.replace(/^.*\/|\.sock$/g, "") : "";
  return pluginNamePattern.test(name) ? name : formatAddress(address);
}

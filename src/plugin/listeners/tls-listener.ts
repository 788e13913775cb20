import { readFile } from "node:fs/promises";
import { isIP, type Server } from "node:net";
import { isAbsolute } from "node:path";
import { CleatError, toCleatError } from "../../errors/index.ts";
import { assertPluginName } from "../../protocol/index.ts";
import {
  activate,
  type Address,
  createHttpTransport,
  formatAddress,
  type HostAndPort,
  type Listening,
  type TlsServerOptions,
  type Transport,
} from "../../transport/index.ts";
import { assertSpecReplaceable, writeSpecFile } from "./spec-file.ts";
import { bind, defaultSpecDirectory, type SpecListen } from "./tcp-listener.ts";

export interface TlsListen extends SpecListen {
  /** Port 0 takes a free one. Without `clientCa`, whoever can connect commands the plugin. */
  readonly tls: HostAndPort & TlsServerOptions;
  /** What the spec file tells engines; they read these files themselves. */
  readonly spec: TlsSpec;
}

/** Absolute paths of PEM files, for engines. */
export interface TlsSpec {
  /** The authority of the plugin's certificate. Docker would trust anybody without one. */
  readonly caFile: string;
  /** What engines show; needed where the plugin has a `clientCa`. Only engines should be able to read the key. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** For a certificate that does not name the host. Docker does not know it, and calls no such plugin. */
  readonly serverName?: string | undefined;
}

/**
 * Makes `server`, one of TLS, listen on TCP; calls it as engines will by its spec file, and then writes that file. A
 * plugin that engines cannot trust would otherwise be missed by nobody until an engine's log is read.
 * @throws INVALID_ARGUMENT when `spec` is incomplete, or a path in it is not absolute.
 * @throws FAILED_PRECONDITION when engines would not trust the plugin, or it would not serve them; nothing is written.
 */
export async function listenOnTls(server: Server, { tls, name, specDirectory, spec }: TlsListen): Promise<Listening> {
  const directory = specDirectory ?? defaultSpecDirectory;
  assertPluginName(name);
  assertComplete(spec, tls.clientCa !== undefined);
  try {
    await assertSpecReplaceable(directory, name, "json");
    const bound = await bind(server, tls);
    // A name is what the certificate is for; the address that it stands for may not be.
    const address = { https: isIP(tls.host) === 0 ? { ...bound, host: tls.host } : bound };
    await assertServesEngines(address, name, spec);
    const file = await writeSpecFile(directory, name, formatAddress(address), spec);
    return { address: formatAddress(address), remove: () => file.remove() };
  } catch (error) {
    server.close();
    throw toCleatError(error, `plugin "${name}" on ${formatAddress({ https: tls })}`);
  }
}

function assertComplete({ caFile, certFile, keyFile }: TlsSpec, wantsCertificates: boolean): void {
  for (const [field, path] of Object.entries({ caFile, certFile, keyFile })) {
    if (path === undefined || isAbsolute(path)) continue;
    throw new CleatError("INVALID_ARGUMENT", `spec: ${field} ${JSON.stringify(path)} is not absolute`);
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new CleatError("INVALID_ARGUMENT", "spec: certFile and keyFile go together");
  }
  if (wantsCertificates && certFile === undefined) {
    const message = "spec: certFile and keyFile are missing, which engines must show where there is a clientCa";
    throw new CleatError("INVALID_ARGUMENT", message);
  }
}

async function assertServesEngines(address: Address, name: string, spec: TlsSpec): Promise<void> {
  let transport: Transport | undefined;
  try {
    const [ca, cert, key] = await Promise.all([spec.caFile, spec.certFile, spec.keyFile].map(readIfNamed));
    transport = createHttpTransport(address, { tls: { ca, cert, key, serverName: spec.serverName } });
    await activate(transport, name);
  } catch (error) {
    const { message } = toCleatError(error);
    throw new CleatError("FAILED_PRECONDITION", `engines cannot call plugin "${name}": ${message}`, { cause: error });
  } finally {
    await transport?.close();
  }
}

async function readIfNamed(path: string | undefined): Promise<string | undefined> {
  return path === undefined ? undefined : readFile(path, "utf8");
}

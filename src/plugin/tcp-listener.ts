import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { toCleatError } from "../errors/index.ts";
import { assertPluginName } from "../protocol/index.ts";
import { formatAddress } from "../transport/index.ts";
import { writeSpecFile } from "./spec-file.ts";
import type { Listening } from "./unix-listener.ts";

export interface TcpListen {
  /** Whoever can connect commands the plugin: there is no authentication. Port 0 takes a free one. */
  readonly tcp: { readonly host: string; readonly port: number };
  /** The plugin's name, for its spec file. */
  readonly name: string;
  /** Where the spec file goes; engines look into the default, `/etc/docker/plugins`, and `/usr/lib/docker/plugins`. */
  readonly specDirectory?: string;
}

/** Makes `server` listen on TCP and writes the spec file by which engines find it. */
export async function listenOnTcp(server: Server, listen: TcpListen): Promise<Listening> {
  const { tcp, name, specDirectory = "/etc/docker/plugins" } = listen;
  assertPluginName(name);
  try {
    server.listen(tcp.port, tcp.host);
    await once(server, "listening");
    const { address: host, port } = server.address() as AddressInfo;
    const address = formatAddress({ tcp: { host: dialledHost(host), port } });
    const spec = await writeSpecFile(specDirectory, name, address);
    return { address, remove: () => spec.remove() };
  } catch (error) {
    server.close();
    throw toCleatError(error, `plugin "${name}" on ${formatAddress({ tcp })}`);
  }
}

/** The address of "every interface" cannot be dialled. */
function dialledHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}

import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { toCleatError } from "../../errors/index.ts";
import { assertPluginName } from "../../protocol/index.ts";
import { formatAddress, type HostAndPort, type Listening } from "../../transport/index.ts";
import { assertSpecReplaceable, writeSpecFile } from "./spec-file.ts";

/** What every listener on TCP has, because engines find it by a spec file. */
export interface SpecListen {
  /** The plugin's name, for its spec file. */
  readonly name: string;
  /** Where the spec file goes; engines look into the default, `/etc/docker/plugins`, and `/usr/lib/docker/plugins`. */
  readonly specDirectory?: string;
}

export interface TcpListen extends SpecListen {
  /** Whoever can connect commands the plugin: there is no authentication. Port 0 takes a free one. */
  readonly tcp: HostAndPort;
}

/** Makes `server` listen on TCP and writes the spec file by which engines find it. */
export async function listenOnTcp(server: Server, { tcp, name, specDirectory }: TcpListen): Promise<Listening> {
  const directory = specDirectory ?? defaultSpecDirectory;
  assertPluginName(name);
  try {
    await assertSpecReplaceable(directory, name, "spec");
    const address = formatAddress({ tcp: await bind(server, tcp) });
    const spec = await writeSpecFile(directory, name, address, undefined);
    return { address, remove: () => spec.remove() };
  } catch (error) {
    server.close();
    throw toCleatError(error, `plugin "${name}" on ${formatAddress({ tcp })}`);
  }
}

export const defaultSpecDirectory = "/etc/docker/plugins";

/** Listens, and returns where the server can be dialled on this machine: "every interface" cannot. */
export async function bind(server: Server, { host, port }: HostAndPort): Promise<HostAndPort> {
  server.listen(port, host);
  await once(server, "listening");
  const bound = server.address() as AddressInfo;
  const dialled = { "0.0.0.0": "127.0.0.1", "::": "::1" }[bound.address];
  return { host: dialled ?? bound.address, port: bound.port };
}

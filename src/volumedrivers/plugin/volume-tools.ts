import {
  activateClient,
  type ActivateOptions,
  implement,
  type Service,
  toCallOptions,
  type Transport,
} from "../../transport/index.ts";
import { CleatError } from "../../errors/index.ts";
import type { GlobalVolumes } from "../global/open-global-volumes.ts";
import type { ManagedVolumes } from "../managed/open-managed-volumes.ts";
import { volumeToolsProtocol } from "./tools-protocol.ts";

/** What there is to ask of managed volumes beyond what engines ask, here or in another process. */
export interface VolumeTools extends Pick<ManagedVolumes, "resize"> {
  /** Of volumes that hosts share. */
  unlock?: GlobalVolumes["unlock"];
}

/** The tools of managed volumes, ready for `serve` beside their driver. */
export function createVolumeToolsPlugin({ managed }: { readonly managed: VolumeTools }): { readonly service: Service } {
  return {
    service: implement(volumeToolsProtocol, {
      async resize({ Name, SizeBytes }, call) {
        await managed.resize(Name, SizeBytes, toCallOptions(call));
        return {};
      },
      async unlock({ Name, Host }) {
        if (managed.unlock === undefined) {
          throw new CleatError("UNIMPLEMENTED", `volume "${Name}" is this host's own: nobody shares it`);
        }
        await managed.unlock(Name, Host);
        return {};
      },
    }),
  };
}

/**
 * The tools of a running driver. The transport stays the caller's to close.
 * @throws UNIMPLEMENTED when it is none of Cleat's.
 */
export async function createVolumeToolsFromPlugin(
  transport: Transport,
  options: ActivateOptions,
): Promise<VolumeTools> {
  const client = await activateClient(volumeToolsProtocol, transport, options);
  return {
    async resize(volume, sizeBytes, call) {
      await client.resize({ Name: volume, SizeBytes: sizeBytes }, call);
    },
    async unlock(volume, hostId) {
      await client.unlock({ Name: volume, Host: hostId });
    },
  };
}

import type { Readable } from "node:stream";
import {
  activateClient,
  type ActivateOptions,
  implement,
  type Service,
  toCallOptions,
  type Transport,
} from "../../transport/index.ts";
import { CleatError } from "../../errors/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import type { CreateVolumeOptions } from "../../volume/index.ts";
import type { GlobalVolumes } from "../global/open-global-volumes.ts";
import type { ManagedVolumes } from "../managed/open-managed-volumes.ts";
import { createRestoring } from "./restoring.ts";
import { volumeToolsProtocol } from "./tools-protocol.ts";

/** What there is to ask of managed volumes beyond what engines ask, here or in another process. */
export interface VolumeTools extends Pick<ManagedVolumes, "resize"> {
  /** Of volumes that hosts share. */
  unlock?: GlobalVolumes["unlock"];
  /**
   * Makes a new volume with the files of a tar archive: all of it or, after an error or
   * `kill -9` of either side, nothing.
   * @throws ALREADY_EXISTS when there is one of that name; UNIMPLEMENTED, before anything of the archive is read, of
   *   volumes that hosts share and of drivers that cannot.
   */
  restore?(name: string, options: CreateVolumeOptions, archive: Readable, call?: CallOptions): Promise<void>;
}

/** What tools are of. */
export type ManagedTools = Pick<ManagedVolumes, "resize" | "createFilled"> & Pick<VolumeTools, "unlock">;

/** The tools of managed volumes, ready for `serve` beside their driver. */
export function createVolumeToolsPlugin({ managed }: { readonly managed: ManagedTools }): {
  readonly service: Service;
} {
  const restoring = createRestoring(managed);
  return {
    service: implement(volumeToolsProtocol, {
      async prepareRestore({ Name, Opts }) {
        if (managed.unlock !== undefined) {
          throw new CleatError("UNIMPLEMENTED", `volume "${Name}" is shared by hosts, of whom none makes it alone`);
        }
        return { ID: restoring.prepare(Name, Opts) };
      },
      async restore({ id }, call) {
        await restoring.restore(id, call.body, toCallOptions(call));
        return {};
      },
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
    async restore(volume, { options = {} }, archive, call) {
      // The caller's time is for the archive; this takes none.
      const { ID } = await client.prepareRestore({ Name: volume, Opts: { ...options } }, { signal: call?.signal });
      await client.restore({ id: ID }, { ...call, body: archive });
    },
    async unlock(volume, hostId) {
      await client.unlock({ Name: volume, Host: hostId });
    },
  };
}

import type { VolumeBackend } from "../managed/volume-backend.ts";
import { anyFileSystem } from "./kernel/any-file-system.ts";
import { bind, none } from "./kernel/bind.ts";
import { cifs } from "./servers/cifs.ts";
import { image } from "./files/image.ts";
import { local } from "./files/local.ts";
import { nfs, nfs4 } from "./servers/nfs.ts";
import { overlay } from "./kernel/overlay.ts";
import { createRclone, type RcloneSettings } from "./servers/rclone.ts";
import { sshfs } from "./servers/sshfs.ts";
import { tmpfs } from "./kernel/tmpfs.ts";

/** What an operator may allow volumes beyond. */
export interface VolumeTypesSettings extends RcloneSettings {}

/**
 * The kinds of volumes of one driver, told apart by the option `type`, as those of Docker's built-in `local` are: so
 * what was created there (`type=nfs,device=:/data,o=addr=…`) is created here with the same options, and all share one
 * socket.
 */
export const createVolumeTypes = (settings: VolumeTypesSettings = {}) =>
  ({
    local,
    image,
    overlay,
    bind,
    none,
    tmpfs,
    ...createSharedVolumeTypes(settings),
  }) as const satisfies Record<string, VolumeBackend>;

/** Those whose files are on a server, where several hosts reach them. */
export const createSharedVolumeTypes = (settings: VolumeTypesSettings = {}) =>
  ({ nfs, nfs4, cifs, sshfs, rclone: createRclone(settings) }) as const satisfies Record<string, VolumeBackend>;

/** As they are where an operator allows nothing beyond. */
export const volumeTypes = createVolumeTypes();
export const sharedVolumeTypes = createSharedVolumeTypes();

export const defaultVolumeType = "local";

/** Of every other type: what the kernel mounts. */
export const otherVolumeTypes = anyFileSystem;

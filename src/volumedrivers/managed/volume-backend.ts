/**
 * What the author of a volume driver writes; this file is the manual. `openManagedVolumes` makes a complete driver of
 * it, whose names, options, holders, order, records, checks, listing, restarts and shutdown are done.
 *
 *     const driver = await openManagedVolumes({
 *       name: "ramdisk",
 *       folder: "/var/lib/ramdisk",
 *       options: { size: sizeOption().default(64 * 2 ** 20) },
 *       mount: ({ options, target }) =>
 *         mountFileSystem({ type: "tmpfs", source: "ramdisk", target, options: [`size=${options.size}`] }),
 *     })
 *
 * ## Words
 *
 * - **folder** of a volume: its own, on the disk of the driver, made before `create` and deleted after `remove`. What a
 *   driver keeps of a volume lies there. Nothing may be mounted in it.
 * - **target**: an empty folder of the volume's own, for `mount` to mount on, there before `mount` and gone after
 *   `unmount`.
 * - **holder**: who has the volume mounted, as the engine names it. An author never meets one: `mount` is called for
 *   the first, `unmount` after the last.
 *
 * ## What an author may rely on
 *
 * - One call at a time for a volume, in the order in which they were asked for. Those of different volumes run side by
 *   side.
 * - `create` is called once for a volume, unless `remove` has been called in between; `mount` only while it is not
 *   mounted, as `/proc/self/mountinfo` has it; `unmount` and `remove` only while nobody holds it.
 * - Of volumes that hosts share (`openGlobalVolumes`) all that is said here is so on each host by itself. So types with
 *   `create`, `remove` or `resize`, which each host would call, are refused there: what makes and removes a volume is
 *   elsewhere. `assertRemovable` is asked before another host may have the volume, too.
 * - Options are as the schemas read them: what a user gave and none of them takes has been refused.
 *
 * ## What is asked of an author
 *
 * - To end when `call.signal` aborts, which it does after `timeoutMs` (not counting `withVolume`, as copies take as
 *   long as they take): a call that goes on keeps others for that volume waiting, and nobody else. It does not abort
 *   because an engine has given up: the engine will ask again, and the mount is there then.
 * - After `kill -9` nothing is known of a step that was not answered: `remove` takes what `create` has half made, and
 *   what it has half removed itself; `unmount` takes what is not mounted.
 * - Never to touch (stat, readdir) what is mounted at `target` in this process: a server that is gone would take the
 *   process along. `runHelper` runs programs that can be killed.
 *
 * Errors may be any; those with a code (`CleatError`) keep it. Values of secret options are taken out of their
 * messages.
 */
import type { Logger } from "../../transport/index.ts";
import type { OptionReading, OptionsOf, OptionTable } from "../options/option-table.ts";

export interface VolumeBackend<Table extends OptionTable = OptionTable> extends OptionReading<Table> {
  /** Makes what lasts, beyond the volume's folder. */
  create?(volume: ManagedVolume<OptionsOf<Table>>, call: CreateCall): Promise<void>;
  /**
   * Makes the volume's files visible: at `volume.target`, or at the absolute path to which it resolves (`volume.folder`
   * for one that needs no mount).
   */
  mount(volume: ManagedVolume<OptionsOf<Table>>, call: VolumeCall): Promise<string | void>;
  /** Takes back what `mount` did. Default: unmounts `target`, if something is mounted there. */
  unmount?(volume: ManagedVolume<OptionsOf<Table>>, call: VolumeCall): Promise<void>;
  /**
   * Looks after what is mounted, and held, when the driver is opened: what an earlier process has mounted. For a mount
   * that takes more than the kernel.
   */
  care?(volume: ManagedVolume<OptionsOf<Table>>, care: VolumeCare): Promise<void>;
  /**
   * Throws for one that must not be removed now: it stays what it is. After that `remove` is called until it succeeds.
   */
  assertRemovable?(volume: ManagedVolume<OptionsOf<Table>>, call: VolumeCall): Promise<void>;
  /** Deletes what `create` made; the volume's folder is deleted behind it. */
  remove?(volume: ManagedVolume<OptionsOf<Table>>, call: VolumeCall): Promise<void>;
  /** Where its files are while nobody has it mounted, if they are anywhere. May not wait for anything. */
  pathOf?(volume: ManagedVolume<OptionsOf<Table>>): string | undefined;
  /**
   * What it takes, and may take, as far as that is known without counting: for `Status` when one volume is asked for.
   */
  usage?(volume: ManagedVolume<OptionsOf<Table>>, call: VolumeCall): Promise<VolumeUsage | undefined>;
  /** Gives it another size, also while it is mounted; resolves to the options, as text, that it has from now on. */
  resize?(
    volume: ManagedVolume<OptionsOf<Table>>,
    sizeBytes: number,
    call: VolumeCall,
  ): Promise<Readonly<Record<string, string>>>;
  /**
   * The options, beside its type, with which `create` makes a copy of it that stays as it is now, where volumes are
   * copied: a snapshot. May not wait for anything.
   */
  copyOptions?(volume: ManagedVolume<OptionsOf<Table>>): Readonly<Record<string, string>>;
}

export interface ManagedVolume<Options = Readonly<Record<string, unknown>>> {
  readonly name: string;
  /** Which backend's it is, where the driver has several. */
  readonly type: string | undefined;
  readonly options: Options;
  readonly createdAt: Date;
  readonly folder: string;
  readonly target: string;
}

export interface VolumeCall extends VolumeCare {
  /** Aborts when the time is over, or the driver is closed. */
  readonly signal: AbortSignal;
}

/** For what goes on when a call has ended. */
export interface VolumeCare {
  /** Aborts when the driver is closed. */
  readonly closing: AbortSignal;
  readonly logger: Logger;
}

export interface CreateCall extends VolumeCall {
  /**
   * Runs `work` with another volume, which is not removed meanwhile, and neither mounted nor unmounted: for one that is
   * made from another.
   * @throws NOT_FOUND when there is none.
   */
  withVolume<Result>(
    name: string,
    work: (source: SourceVolume) => Promise<Result>,
    options?: SourceOptions,
  ): Promise<Result>;
}

export interface SourceOptions {
  /** Lets it be mounted and unmounted meanwhile, where its files do not depend on that. */
  readonly whileMounts?: boolean;
}

export interface SourceVolume extends ManagedVolume {
  readonly isMounted: boolean;
}

export interface VolumeUsage {
  readonly usedBytes: number;
  /** What it may take at the most, where that is limited. */
  readonly sizeBytes?: number | undefined;
  readonly inodes?: number | undefined;
}

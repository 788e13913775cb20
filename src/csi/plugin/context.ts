import type { CallOptions } from "../../protocol/index.ts";
import type { Logger } from "../../transport/index.ts";
import type { VolumeCapabilities, VolumeDriver } from "../../volume/index.ts";
import type { Turns } from "../../volumedrivers/index.ts";

/** A volume driver that may do more than engines ask for, as those of `openManagedVolumes` do; others need not. */
export interface HeldVolumes extends VolumeDriver {
  /** @throws NOT_FOUND */
  holders?(name: string): readonly string[];
  /** Gives a volume another size, also while it is mounted. @throws UNIMPLEMENTED where this volume has but one. */
  resize?(name: string, sizeBytes: number, call?: CallOptions): Promise<void>;
  /**
   * The options of a volume that is a snapshot of that one; without this method they are the source's name alone.
   * @throws NOT_FOUND, UNIMPLEMENTED where this volume is not copied.
   */
  copyOptions?(name: string): Readonly<Record<string, string>>;
  /** Whether a volume with those options may have that one, too; without this method it may. */
  takesOption?(option: string, given: Readonly<Record<string, string>>): boolean;
  /** Whether it is there and not half removed; without this method all that `get` finds are. */
  isWhole?(name: string): boolean;
}

/** What each service of one plugin knows. */
export interface CsiContext {
  readonly driver: HeldVolumes;
  readonly scope: VolumeCapabilities["scope"];
  /** "volumes.example.org". */
  readonly pluginName: string;
  readonly version: string;
  readonly nodeId: string;
  readonly sizeOption: string | undefined;
  readonly sourceOption: string | undefined;
  /** For what looks at a volume and then changes it. */
  readonly turns: Turns;
  readonly logger: Logger;
}

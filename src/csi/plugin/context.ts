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

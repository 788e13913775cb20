import type { Logger } from "../../transport/index.ts";
import type { VolumeCapabilities, VolumeDriver } from "../../volume/index.ts";

/** A volume driver that can tell who has a volume mounted, as those of `openManagedVolumes` can; others need not. */
export interface HeldVolumes extends VolumeDriver {
  /** @throws NOT_FOUND */
  holders?(name: string): readonly string[];
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
  readonly logger: Logger;
}

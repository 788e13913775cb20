import type { Logger } from "../../transport/index.ts";
import type { VolumeCapabilities, VolumeDriver } from "../../volume/index.ts";

/** What each service of one plugin knows. */
export interface CsiContext {
  readonly driver: VolumeDriver;
  readonly scope: VolumeCapabilities["scope"];
  /** "volumes.example.org". */
  readonly pluginName: string;
  readonly version: string;
  readonly nodeId: string;
  readonly sizeOption: string | undefined;
  readonly sourceOption: string | undefined;
  readonly logger: Logger;
}

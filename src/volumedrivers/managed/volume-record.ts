import { z } from "zod";
import { mountRecord } from "../holders/mount-record.ts";

const volumeRecord = z.strictObject({
  type: z.string().optional(),
  /** As the user gave them, secrets among them. */
  options: z.record(z.string(), z.string()),
  created: z.iso.datetime(),
  /**
   * One that is being made when the process ends was never acknowledged, and is removed; so is one that is being
   * removed.
   */
  state: z.enum(["creating", "ready", "removing"]),
  /** The size in bytes that it is being given: `options` say what it had. Given again by whoever finds it. */
  resizingTo: z.int().positive().optional(),
});

export type VolumeRecord = Readonly<z.output<typeof volumeRecord>>;

export const volumeTables = { volumes: volumeRecord, mounts: mountRecord };

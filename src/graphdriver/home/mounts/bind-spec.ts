import type { MountSpec } from "../../driver.ts";

/** The mount that shows a folder as it is. Source: containerd v2.1.9 `plugins/snapshots/native/native.go` `mounts`. */
export function bindSpec(folder: string, readOnly: boolean): MountSpec {
  return { type: "bind", source: folder, options: [readOnly ? "ro" : "rw", "rbind"] };
}

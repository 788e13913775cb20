import type { Volume } from "../../volume/index.ts";
import { printable } from "../terminal/printable.ts";

/** A volume as lists show it; what its driver does not tell is a dash. */
export interface VolumeRow {
  readonly name: string;
  readonly type: string;
  readonly mounts: string;
  readonly created: string;
  readonly mountpoint: string;
}

export function toRow({ name, mountpoint, createdAt, status = {} }: Volume): VolumeRow {
  const text = (value: unknown) =>
    typeof value === "string" || typeof value === "number" ? printable(String(value)) : "-";
  return {
    name: printable(name),
    type: text(status["Type"]),
    mounts: text(status["Mounts"]),
    created: createdAt?.toISOString().replace(/\.\d+/, "") ?? "-",
    mountpoint: text(mountpoint),
  };
}

/** What is printed of a volume as JSON; nothing in it is secret, as its driver tells everybody the same. */
export function toJson({ name, mountpoint, createdAt, status }: Volume) {
  return { name, mountpoint, createdAt: createdAt?.toISOString(), status };
}

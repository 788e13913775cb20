import type { Durability } from "../../../graphdriver/index.ts";
import type { CommandOptions } from "../../terminal/command.ts";
import { parseOneOf } from "../../terminal/one-of.ts";
import { logLevels } from "./logger.ts";

const durabilities: readonly Durability[] = ["none", "layer", "file"];

/** Which driver keeps layers, and how, for whoever they are. */
export const driverOptions = {
  driver: {
    type: "string",
    value: "DRIVER",
    help: "overlay2, fuse-overlayfs, btrfs, vfs, or auto: what layers are there, or the best that works; default auto",
  },
  opt: { type: "string", value: "KEY=VALUE", multiple: true, help: "an option of the driver; see below" },
  durability: { type: "string", value: "LEVEL", help: `${durabilities.join(", ")}; default layer` },
} as const satisfies CommandOptions;

/** What a command that serves says, and where. */
export const outputOptions = {
  "log-level": { type: "string", value: "LEVEL", help: `${logLevels.join(", ")}; default info` },
  json: { type: "boolean", help: "print what is served as one line of JSON" },
  metrics: {
    type: "string",
    value: "ADDRESS",
    help: "answer GET /metrics there, for Prometheus: unix:///PATH or 127.0.0.1:PORT",
  },
} as const satisfies CommandOptions;

export interface OutputValues {
  readonly "log-level"?: string | undefined;
  readonly json?: boolean | undefined;
  readonly metrics?: string | undefined;
}

export interface DriverValues {
  readonly driver?: string | undefined;
  readonly opt?: readonly string[] | undefined;
  readonly durability?: string | undefined;
}

/** @throws UsageError for what is none. */
export function parseDurability(text = "layer"): Durability {
  return parseOneOf("--durability", durabilities, text);
}

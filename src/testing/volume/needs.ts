/** Reasons for which a check means nothing to a driver. */
import type { WireContext } from "../protocol/context.ts";
import type { VolumeContext } from "./context.ts";

type Need = (context: VolumeContext) => string | undefined;

export const wire: Need = (context) =>
  context.wire === undefined ? "the driver is in this process: nothing goes over a wire" : undefined;

export const files: Need = ({ seesFiles }) => (seesFiles ? undefined : "the driver's files cannot be seen from here");

export const restarts: Need = ({ killAndRestart }) =>
  killAndRestart === undefined ? "nobody said how the plugin is started (--restart)" : undefined;

/** Of a check that needs `wire`. */
export function wireOf(context: VolumeContext): WireContext {
  if (context.wire === undefined) throw new Error("the driver is in this process");
  return context.wire;
}

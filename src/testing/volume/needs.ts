/** Reasons for which a check means nothing to a driver. */
import type { VolumeContext } from "./context.ts";

export { needsRestart as restarts, needsWire as wire, wireOf } from "../driver-kit.ts";

export const files = ({ seesFiles }: VolumeContext): string | undefined =>
  seesFiles ? undefined : "the driver's files cannot be seen from here";

import { channel } from "node:diagnostics_channel";

/**
 * What has just happened to a volume, in the order of each call: between any two the process may be killed, and then
 * the volume is as it was before the call or as it is after it. Said on the `diagnostics_channel` "cleat:volumes", for
 * whoever traces, and for the tests that kill at each.
 */
export const volumeSteps = [
  "create: recorded",
  "create: made",
  "create: acknowledged",
  "mount: recorded",
  "mount: mounted",
  "mount: acknowledged",
  "unmount: recorded",
  "unmount: unmounted",
  "unmount: acknowledged",
  "resize: recorded",
  "resize: resized",
  "resize: acknowledged",
  "remove: recorded",
  "remove: removed",
  "remove: taken out",
  "remove: acknowledged",
] as const;

export type VolumeStep = (typeof volumeSteps)[number];

/** What subscribers of the channel are told. */
export interface VolumeStepMessage {
  readonly driver: string;
  readonly volume: string;
  readonly step: VolumeStep;
}

const steps = channel("cleat:volumes");

export type SayStep = (step: VolumeStep, volume: string) => void;

export function createSayStep(driver: string): SayStep {
  return (step, volume) => {
    if (steps.hasSubscribers) steps.publish({ driver, volume, step } satisfies VolumeStepMessage);
  };
}

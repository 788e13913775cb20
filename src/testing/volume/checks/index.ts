import type { VolumeCheck } from "../context.ts";
import { engineStoryChecks } from "./engine-stories.ts";
import { fileChecks } from "./files.ts";
import { holderChecks } from "./holders.ts";
import { lifeCycleChecks } from "./life-cycle.ts";
import { restartChecks } from "./restarts.ts";
import { wireAnswerChecks } from "./wire-answers.ts";

/** All that the contract promises, and what engines do with volumes. */
export const volumeDriverChecks: readonly VolumeCheck[] = [
  ...lifeCycleChecks,
  ...holderChecks,
  ...fileChecks,
  ...wireAnswerChecks,
  ...engineStoryChecks,
  ...restartChecks,
];

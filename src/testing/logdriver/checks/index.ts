import type { LogCheck } from "../context.ts";
import { engineStoryChecks } from "./engine-stories.ts";
import { pipeChecks } from "./pipes.ts";
import { readingChecks } from "./reading.ts";

/** All that the contract promises, and what engines do with logs. */
export const logDriverChecks: readonly LogCheck[] = [...readingChecks, ...pipeChecks, ...engineStoryChecks];

import type { SnapshotterCheck } from "../check.ts";
import { adoptionChecks } from "./adoption.ts";
import { commitChecks } from "./commits.ts";
import { fileChecks } from "./files.ts";
import { infoChecks } from "./infos.ts";
import { labelChecks } from "./labels.ts";
import { lifeCycleChecks } from "./life-cycle.ts";
import { listChecks } from "./lists.ts";
import { nameChecks } from "./names.ts";
import { rebaseChecks } from "./rebase.ts";
import { restartChecks } from "./restarts.ts";
import { stackChecks } from "./stacks.ts";
import { togetherChecks } from "./together.ts";
import { usageChecks } from "./usage.ts";

/** Every check, in the order in which they read best. */
export const snapshotterChecks: readonly SnapshotterCheck[] = [
  ...lifeCycleChecks,
  ...commitChecks,
  ...infoChecks,
  ...labelChecks,
  ...nameChecks,
  ...listChecks,
  ...togetherChecks,
  ...restartChecks,
  ...adoptionChecks,
  ...fileChecks,
  ...stackChecks,
  ...usageChecks,
  ...rebaseChecks,
];

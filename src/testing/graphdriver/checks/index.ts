import type { GraphDriverCheck } from "../check.ts";
import { applyChecks } from "./applies.ts";
import { breakoutChecks } from "./breakouts.ts";
import { brokenArchiveChecks } from "./broken-archives.ts";
import { changesChecks } from "./changes.ts";
import { depthChecks } from "./depth.ts";
import { diffChecks } from "./diffs.ts";
import { diffGetterChecks } from "./diff-getters.ts";
import { exactDiffChecks } from "./exact-diffs.ts";
import { fullDiskChecks } from "./full-disk.ts";
import { generationChecks } from "./generations.ts";
import { idMapChecks } from "./id-maps.ts";
import { identifierChecks } from "./identifiers.ts";
import { givingUpChecks } from "./giving-up.ts";
import { heldAttributeChecks } from "./held-attributes.ts";
import { impliedFolderChecks } from "./implied-folders.ts";
import { inheritedAccessChecks } from "./inherited-access.ts";
import { lifeCycleChecks } from "./life-cycle.ts";
import { listChecks } from "./lists.ts";
import { mountChecks } from "./mounts.ts";
import { mountSpecChecks } from "./mount-specs.ts";
import { nestedChecks } from "./nested.ts";
import { parentChecks } from "./parents.ts";
import { rebaseChecks } from "./rebases.ts";
import { quotaChecks } from "./quotas.ts";
import { restartChecks } from "./restarts.ts";
import { sameTimesChecks } from "./same-times.ts";
import { senderChecks } from "./senders.ts";
import { togetherChecks } from "./together.ts";
import { unionChecks } from "./unions.ts";
import { unknownLayerChecks } from "./unknown-layers.ts";
import { usageChecks } from "./usages.ts";
import { userNamespaceChecks } from "./user-namespaces.ts";
import { whileFilledChecks } from "./while-filled.ts";
import { whiteoutChecks } from "./whiteouts.ts";

/** All that the contract promises, from what every user meets to what only an attacker sends. */
export const graphDriverChecks: readonly GraphDriverCheck[] = [
  ...lifeCycleChecks,
  ...parentChecks,
  ...listChecks,
  ...mountChecks,
  ...mountSpecChecks,
  ...usageChecks,
  ...rebaseChecks,
  ...quotaChecks,
  ...identifierChecks,
  ...unknownLayerChecks,
  ...applyChecks,
  ...heldAttributeChecks,
  ...inheritedAccessChecks,
  ...whiteoutChecks,
  ...impliedFolderChecks,
  ...changesChecks,
  ...sameTimesChecks,
  ...generationChecks,
  ...nestedChecks,
  ...unionChecks,
  ...diffChecks,
  ...exactDiffChecks,
  ...diffGetterChecks,
  ...idMapChecks,
  ...userNamespaceChecks,
  ...brokenArchiveChecks,
  ...senderChecks,
  ...breakoutChecks,
  ...togetherChecks,
  ...whileFilledChecks,
  ...givingUpChecks,
  ...restartChecks,
  ...depthChecks,
  ...fullDiskChecks,
];

import type { GraphDriverCheck } from "../check.ts";
import { identifierChecks } from "./layers/identifiers.ts";
import { lifeCycleChecks } from "./layers/life-cycle.ts";
import { listChecks } from "./layers/lists.ts";
import { mountChecks } from "./layers/mounts.ts";
import { mountSpecChecks } from "./layers/mount-specs.ts";
import { parentChecks } from "./layers/parents.ts";
import { rebaseChecks } from "./layers/rebases.ts";
import { quotaChecks } from "./layers/quotas.ts";
import { unknownLayerChecks } from "./layers/unknown-layers.ts";
import { usageChecks } from "./layers/usages.ts";
import { applyChecks } from "./applying/applies.ts";
import { idMapChecks } from "./applying/id-maps.ts";
import { heldAttributeChecks } from "./applying/held-attributes.ts";
import { impliedFolderChecks } from "./applying/implied-folders.ts";
import { inheritedAccessChecks } from "./applying/inherited-access.ts";
import { userNamespaceChecks } from "./applying/user-namespaces.ts";
import { whiteoutChecks } from "./applying/whiteouts.ts";
import { changesChecks } from "./diffs/changes.ts";
import { diffChecks } from "./diffs/diffs.ts";
import { diffGetterChecks } from "./diffs/diff-getters.ts";
import { exactDiffChecks } from "./diffs/exact-diffs.ts";
import { generationChecks } from "./diffs/generations.ts";
import { nestedChecks } from "./diffs/nested.ts";
import { sameTimesChecks } from "./diffs/same-times.ts";
import { unionChecks } from "./diffs/unions.ts";
import { breakoutChecks } from "./hostile/breakouts.ts";
import { brokenArchiveChecks } from "./hostile/broken-archives.ts";
import { senderChecks } from "./hostile/senders.ts";
import { depthChecks } from "./strain/depth.ts";
import { fullDiskChecks } from "./strain/full-disk.ts";
import { givingUpChecks } from "./strain/giving-up.ts";
import { restartChecks } from "./strain/restarts.ts";
import { togetherChecks } from "./strain/together.ts";
import { whileFilledChecks } from "./strain/while-filled.ts";

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

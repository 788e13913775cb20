/** Runs one scenario in a process of its own: `main.mjs SCENARIO DRIVER FOLDER`. Fails with what went wrong. */
import * as crash from "./crash.mjs";
import * as badHomes from "./bad-homes.mjs";
import * as decisions from "./decisions.mjs";
import * as exactDiffs from "./exact-diffs.mjs";
import * as failingCalls from "./failing-calls.mjs";
import * as failingDisk from "./failing-disk.mjs";
import * as fewDescriptors from "./few-descriptors.mjs";
import * as fullDisk from "./full-disk.mjs";
import * as homeOfItsOwn from "./home-of-its-own.mjs";
import * as lowerSymlinks from "./lower-symlinks.mjs";
import * as longPaths from "./long-paths.mjs";
import * as lostWrites from "./lost-writes.mjs";
import * as mountViews from "./mount-views.mjs";
import * as inheritedAccess from "./inherited-access.mjs";
import * as namespaceCrossing from "./namespace-crossing.mjs";
import * as overlayDepth from "./overlay-depth.mjs";
import * as overlayFeatures from "./overlay-features.mjs";
import * as overlayParents from "./overlay-parents.mjs";
import * as overlayRedirects from "./overlay-redirects.mjs";
import * as overlayProjects from "./overlay-projects.mjs";
import * as power from "./power-loss.mjs";
import * as programs from "./programs.mjs";
import * as protectedFiles from "./protected-files.mjs";
import * as refusedAttributes from "./refused-attributes.mjs";
import * as silentPeers from "./silent-peers.mjs";
import * as sizes from "./sizes.mjs";
import * as stores from "./stores.mjs";
import * as subvolumes from "./subvolumes.mjs";
import * as unreadableLayers from "./unreadable-layers.mjs";

const [name, driver, folder] = process.argv.slice(2);
const overlay = { ...overlayDepth, ...overlayFeatures, ...overlayParents, ...overlayProjects, ...overlayRedirects };
const scenarios = {
  ...overlay,
  ...crash,
  ...badHomes,
  ...decisions,
  ...exactDiffs,
  ...failingCalls,
  ...failingDisk,
  ...fewDescriptors,
  ...fullDisk,
  ...homeOfItsOwn,
  ...longPaths,
  ...lowerSymlinks,
  ...lostWrites,
  ...mountViews,
  ...inheritedAccess,
  ...namespaceCrossing,
  ...power,
  ...programs,
  ...protectedFiles,
  ...refusedAttributes,
  ...silentPeers,
  ...sizes,
  ...stores,
  ...subvolumes,
  ...unreadableLayers,
};
await scenarios[name](driver, folder);

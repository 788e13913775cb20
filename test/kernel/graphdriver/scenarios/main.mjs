/** Runs one scenario in a process of its own: `main.mjs SCENARIO DRIVER FOLDER`. Fails with what went wrong. */
import * as crash from "./crash.mjs";
import * as badHomes from "./bad-homes.mjs";
import * as fullDisk from "./full-disk.mjs";
import * as power from "./power-loss.mjs";
import * as refusedAttributes from "./refused-attributes.mjs";
import * as sizes from "./sizes.mjs";
import * as subvolumes from "./subvolumes.mjs";

const [name, driver, folder] = process.argv.slice(2);
const scenarios = { ...crash, ...badHomes, ...fullDisk, ...power, ...refusedAttributes, ...sizes, ...subvolumes };
await scenarios[name](driver, folder);

/** Runs Cleat's kit on the driver: `node kit.js FOLDER`. Prints what failed, and how many passed. */
import { runGraphDriverKit } from "cleat/testing";
import { copying } from "./copying.js";

const [folder = "/var/tmp"] = process.argv.slice(2);
const results = await runGraphDriverKit({ open: copying.open, folder, reuse: true });
for (const { id, outcome, reason, error } of results)
  if (outcome !== "passed") console.log(outcome, id, reason ?? "", error ?? "");
console.log(`${results.filter(({ outcome }) => outcome === "passed").length} passed`);
process.exitCode = results.some(({ outcome }) => outcome === "failed") ? 1 : 0;

/** Runs on arm64, with a disk of ext4 (`/dev/vda`). Prints each result as a line of JSON, shaped as the kit's. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { inspect } from "node:util";

import { overlay2, vfs } from "cleat/drivers";
import { graphDriverChecks, runGraphDriverKit } from "cleat/testing";

import { drivers, scenarioTitles } from "./checks.mjs";
import { processor, socket, state } from "./scenarios.mjs";

const factories = { overlay2, vfs };
const scenarios = { processor, state, socket };

const folder = "/tmp/disk";
mkdirSync(folder);
execFileSync("mount", ["-t", "ext4", "/dev/vda", folder]);

const report = (of, { id, outcome, reason, error }) =>
  console.log(JSON.stringify({ of, id, outcome, reason, error: error && inspect(error) }));

for (const id of Object.keys(scenarioTitles)) {
  const error = await scenarios[id]({ folder }).catch((reason) => reason);
  report("scenario", { id, outcome: error === undefined ? "passed" : "failed", error });
}
for (const [name, groups] of Object.entries(drivers)) {
  const only = graphDriverChecks.map(({ id }) => id).filter((id) => groups.includes(id.split("/")[0]));
  mkdirSync(`${folder}/${name}`);
  await runGraphDriverKit({
    open: factories[name].open,
    folder: `${folder}/${name}`,
    only,
    reuse: true,
    timeoutMs: 120_000,
    onResult: (result) => report(name, result),
  });
}

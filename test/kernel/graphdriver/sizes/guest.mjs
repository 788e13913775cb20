/**
 * What is checked in the virtual machine, on a disk of xfs (`/dev/vda`) and one of ext4 (`/dev/vdb`), both made for
 * project quotas. Prints each result as a line of JSON, shaped as the kit's.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { inspect } from "node:util";

import { overlay2 } from "cleat/drivers";
import { runGraphDriverKit } from "cleat/testing";

import { kitChecks } from "./checks.mjs";
import * as scenarios from "./scenarios.mjs";

const disks = [
  { fileSystem: "xfs", device: "/dev/vda" },
  { fileSystem: "ext4", device: "/dev/vdb" },
];

const report = (fileSystem, { id, outcome, reason, error }) =>
  console.log(JSON.stringify({ fileSystem, id, outcome, reason, error: error && inspect(error) }));

for (const { fileSystem, device } of disks) {
  const folder = `/tmp/${fileSystem}`;
  mkdirSync(folder);
  execFileSync("mount", ["-t", fileSystem, "-o", "prjquota", device, folder]);
  await runGraphDriverKit({
    open: overlay2.open,
    folder,
    reuse: true,
    only: kitChecks,
    timeoutMs: 300_000,
    onResult: (result) => report(fileSystem, result),
  });
  const plain = await openHome(`${folder}/plain`);
  const strict = await openHome(`${folder}/strict`, "cleat.exact_diffs=true", "overlay2.size=8m");
  const context = { plain, strict, folder, fileSystem, device };
  const { withoutQuotas, ...others } = scenarios;
  for (const [id, scenario] of Object.entries(others)) await run(id, scenario, context);
  for (const { driver } of [plain, strict]) {
    await driver.cleanup();
    await driver.close();
  }
  await run("withoutQuotas", withoutQuotas, context);
}

async function openHome(home, ...options) {
  return { home, driver: await overlay2.open({ home, options }) };
}

async function run(id, scenario, context) {
  const error = await scenario(context).catch((reason) => reason);
  report(context.fileSystem, { id, outcome: error === undefined ? "passed" : "failed", error });
}

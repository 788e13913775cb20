/** Changed inputs for what reads bytes from outside: `usage` is the manual. */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";

import { build, installPackages, main, projectFolder } from "./prepare.mjs";
import { answerHelp } from "./usage.mjs";

const folder = join(projectFolder, "test/fuzz");

export const fuzzTargets = readdirSync(join(folder, "targets")).map((file) => basename(file, ".mjs"));

const usage = `usage: npm run fuzz -- [TARGET…] [--seconds N] [--seed S] [--keep N]

Changed inputs for what reads bytes from outside, guided by which branches they take; all targets, 60 s in all, by
default. What is refused by an error of the contract is in order. A fault is printed with its input; mended, it goes
into test/fuzz/corpus/TARGET.txt with its name before it. --keep replaces the rest of that file by at most N of the
inputs that take the most ways.

Targets: ${inLines(fuzzTargets)}
`;

/** Six on each, as a terminal has so many columns. */
function inLines(names) {
  const lines = [];
  for (let at = 0; at < names.length; at += 6) lines.push(names.slice(at, at + 6).join(" "));
  return lines.join("\n         ");
}

const options = {
  seconds: { type: "string" },
  seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  keep: { type: "string" },
};

/** Whether one of them found a fault. */
export function fuzzAll(targets, { seconds, seed, keep }) {
  return targets
    .map((target) => {
      const args = [target, String(seconds / targets.length), seed, ...(keep === undefined ? [] : [keep])];
      const program = ["--import", join(folder, "register.mjs"), join(folder, "main.mjs"), ...args];
      return spawnSync(process.execPath, program, { stdio: "inherit" }).status === 0;
    })
    .includes(false);
}

if (process.argv[1] === import.meta.filename) {
  answerHelp(usage);
  await main(() => {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    installPackages();
    build();
    const targets = positionals.length > 0 ? positionals : fuzzTargets;
    const { seed, keep, seconds = "60" } = values;
    if (fuzzAll(targets, { seconds: Number(seconds), seed, keep })) process.exitCode = 1;
  });
}

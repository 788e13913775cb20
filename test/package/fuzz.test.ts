/** The fuzzer's corpus, and a moment of new inputs, for each target; an hour of them at night (`npm run fuzz`). */
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

import { atNight } from "../night.ts";

const folder = join(import.meta.dirname, "../fuzz");
const targets = readdirSync(join(folder, "targets")).map((file) => basename(file, ".mjs"));
const seconds = atNight ? 3600 / targets.length : 0.3;
const seed = atNight ? Date.now() % 2 ** 31 : 1;

test.concurrent.each(targets)(
  "%s takes every input, or refuses it by an error of the contract",
  { timeout: 900_000 },
  async (target) => {
    const program = ["--import", join(folder, "register.mjs"), join(folder, "main.mjs"), target];
    // It fails with the faults, and their inputs.
    const { stdout } = await promisify(execFile)(process.execPath, [...program, String(seconds), String(seed)]);
    expect(JSON.parse(stdout)).toMatchObject({ target, faults: 0 });
  },
);

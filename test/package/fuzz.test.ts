/** The fuzzer's corpus, and half a second of new inputs, for each target; an hour of them at night (`npm run fuzz`). */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";

import { atNight } from "../night.ts";

const folder = join(import.meta.dirname, "../fuzz");
const targets = readdirSync(join(folder, "targets")).map((file) => basename(file, ".mjs"));
const seconds = atNight ? 3600 / targets.length : 0.5;
const seed = atNight ? Date.now() % 2 ** 31 : 1;

test.each(targets)(
  "%s takes every input, or refuses it by an error of the contract",
  { timeout: 900_000 },
  (target) => {
    const program = ["--import", join(folder, "register.mjs"), join(folder, "main.mjs"), target];
    const { status, stdout, stderr } = spawnSync(process.execPath, [...program, String(seconds), String(seed)], {
      encoding: "utf8",
    });
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ target, faults: 0 });
  },
);

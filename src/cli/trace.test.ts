import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readFixtureFile } from "../host/index.ts";
import { socketOf, startPlugin, startTlsPlugin } from "./plugins.test.support.ts";
import { cleat, folder, start } from "./run.test.support.ts";

const answers = {
  "/Plugin.Activate": { Implements: ["VolumeDriver"] },
  "/VolumeDriver.Create": {},
  "/VolumeDriver.Mount": { Err: "no such volume\u001B[2J" },
};

/** Traces until `stop`, which resolves with all that was printed. */
async function tracing(...argv: string[]) {
  const { ended, stdout } = start(["trace", ...argv]);
  const { promise, resolve } = Promise.withResolvers<string>();
  void ended.then(({ err }) => resolve(err));
  const path = socketOf(`${argv[0]}-traced`);
  const printed = argv.includes("--json") ? "" : await Promise.race([once(stdout, "data").then(String), promise]);
  return {
    printed,
    path,
    async stop() {
      process.emit("SIGUSR2", "SIGUSR2");
      return await ended;
    },
  };
}

/**
 * `npm run bench [-- --only PART --json --rounds N --layer-gib N --snapshots N]`: compiles `bench` and runs it on `dist`. The parts
 * are `docker-commands`, `layer-memory` and `layer-stream`, for which it takes root and dockerd, `small-calls`, for which it takes
 * Go, `snapshotter` with its four, for which it takes all that `npm run engines` brings, and `naive-changes`.
 */
import { cpSync } from "node:fs";
import { build, installPackages, main, packageCommand, run } from "./prepare.mjs";

await main(() => {
  installPackages();
  build();
  if (run(packageCommand("tsc"), ["-p", "bench/tsconfig.json"]) !== 0) throw new Error("the benchmarks do not compile");
  // The harness of the engine tests, which starts what is measured, imports it; the compiler writes no JavaScript of JavaScript.
  cpSync("scripts/virtual-machine.mjs", "bench/dist/scripts/virtual-machine.mjs");
  process.exitCode = run(process.execPath, ["bench/dist/bench/main.js", ...process.argv.slice(2)]);
});

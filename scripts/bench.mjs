/**
 * `npm run bench [-- --only PART --json --save --compare --rounds N --layer-gib N --snapshots N]`: compiles `bench` and runs it on
 * `dist`. The parts are `docker-commands`, `docker-exact`, `layer-memory` and `layer-stream`, for which it takes root and dockerd,
 * `layers`, for which root will do, `layer-socket`, for which it takes Docker's sources in Go, too, `small-calls`, for which it takes
 * Go, `snapshotter` with its four, for which it takes all that `npm run engines` brings, and `naive-changes`. `--save` writes
 * the committed table, its picture and its page; `--compare` fails where a ratio is a tenth worse than there.
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

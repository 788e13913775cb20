/** `npm run bench [-- --json --rounds N --layer-gib N]`: as root, with dockerd; compiles `bench` and runs it on `dist`. */
import { build, installPackages, main, packageCommand, run } from "./prepare.mjs";

await main(() => {
  installPackages();
  build();
  if (run(packageCommand("tsc"), ["-p", "bench/tsconfig.json"]) !== 0) throw new Error("the benchmarks do not compile");
  process.exitCode = run(process.execPath, ["bench/dist/bench/main.js", ...process.argv.slice(2)]);
});

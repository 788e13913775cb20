/**
 * `node test/golden/capture.mjs [machine | trixie | forky [volumes | authz | logs | layers]]`, as root: records anew
 * what engines and Cleat's plugins tell each other, into the `.jsonl` files beside this one: those of this machine and
 * of the releases that `npm run engines` brings, or of one. Compiles `capture.ts` and runs it on `dist`.
 */
import { build, installPackages, main, packageCommand, run } from "../../scripts/prepare.mjs";

await main(() => {
  installPackages();
  build();
  if (run(packageCommand("tsc"), ["-p", "test/golden/tsconfig.json"]) !== 0) throw new Error("it does not compile");
  process.exitCode = run(process.execPath, ["test/golden/dist/test/golden/capture.js", ...process.argv.slice(2)]);
});

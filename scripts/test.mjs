/**
 * `npm test [-- filter]`: installs and builds what is missing, then runs the checks and every tier of tests that can run
 * here. With CI=true, as root on Debian, the engines are installed first, and a missing need is a failure.
 */
import { installEngines, whyNotInstallable } from "./engines.mjs";
import { build, installPackages, main, packageCommand, run } from "./prepare.mjs";

await main(() => {
  installPackages();
  if (process.env.CI === "true" && whyNotInstallable() === undefined) installEngines({ machine: false });
  try {
    build();
  } catch (error) {
    console.error(`cleat: nothing was tested: ${error.message}`);
    console.log("0 passed, 1 failed, 0 skipped");
    process.exitCode = 1;
    return;
  }
  process.exitCode = run(packageCommand("vitest"), ["run", ...process.argv.slice(2)]);
});

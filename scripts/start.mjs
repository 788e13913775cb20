/**
 * `npm start [-- options]`: installs and builds what is missing, then serves in this very process what the engines of
 * this machine can use. `package.json` calls it with `exec`: a signal for npm would end the shell between the two, and
 * leave this one behind.
 */
import { pathToFileURL } from "node:url";
import { build, cliEntry, installPackages, main } from "./prepare.mjs";

await main(async () => {
  installPackages();
  build();
  process.argv = [process.execPath, cliEntry, "serve", "all", ...process.argv.slice(2)];
  await import(pathToFileURL(cliEntry).href);
});

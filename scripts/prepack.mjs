/**
 * What `npm pack` and `npm publish` begin with: a package is built from what is there, and holds nothing of older
 * builds.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { build, installPackages, main, projectFolder } from "./prepare.mjs";

await main(() => {
  installPackages();
  rmSync(join(projectFolder, "dist"), { recursive: true, force: true });
  build();
});

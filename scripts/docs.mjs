/** `npm run docs`: builds, and writes the pages of `docs/` that are made from tables in the source. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build, installPackages, main, projectFolder } from "./prepare.mjs";

await main(async () => {
  installPackages();
  build();
  const { madePages } = await import("./docs/pages.mjs");
  for (const [path, text] of madePages()) {
    mkdirSync(dirname(join(projectFolder, path)), { recursive: true });
    writeFileSync(join(projectFolder, path), text);
    console.error(`cleat: wrote ${path}`);
  }
});

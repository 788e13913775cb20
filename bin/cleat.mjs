#!/usr/bin/env node
/** The command. In a clone that was not built npm knows of it all the same, and so it can say what is missing. */
import { existsSync } from "node:fs";

const main = new URL("../dist/cli/main.js", import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  console.error("cleat: this clone is not built yet: run npm run build (npm start and npm test do it themselves)");
  process.exitCode = 1;
}

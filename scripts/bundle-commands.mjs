/**
 * Puts what the quick commands load into a file or two, in the place of what tsc has made of them. Reading a module
 * costs Node half a millisecond, and `cleat call` read 220 of them: 95 are zod's, most of them its messages in other
 * languages.
 *
 * What the program has loaded by then stays outside, so that an error is of the same class on both sides.
 */
import { readFileSync, rmSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { rolldown } from "rolldown";
import { cliEntry, main, projectFolder } from "./prepare.mjs";

const commands = ["call", "ls", "inspect"];
const folder = join(projectFolder, "dist/cli/plugins");
const chunks = "bundled";

/** What `cleat --help` loads: the entry, and all that it imports at once. */
function loadedFiles() {
  const files = new Set();
  const visit = (file) => {
    if (files.has(file)) return;
    files.add(file);
    const targets = readFileSync(file, "utf8").matchAll(/^(?:import|export) [^;]*?"(\.{1,2}\/[^"]+)";/gm);
    for (const [, target] of targets) visit(join(dirname(file), target));
  };
  visit(cliEntry);
  return files;
}

await main(async () => {
  const loaded = loadedFiles();
  rmSync(join(folder, chunks), { recursive: true, force: true });
  const bundle = await rolldown({
    input: Object.fromEntries(commands.map((name) => [name, join(folder, `${name}.js`)])),
    platform: "node",
    external: (id, importer, isResolved) => isResolved && (loaded.has(id) || !isBundled(id)),
    onLog: (level, log, handle) => handle("error", log),
  });
  await bundle.write({
    dir: folder,
    format: "esm",
    chunkFileNames: `${chunks}/[name].js`,
    banner: licence(),
  });
  await bundle.close();
});

/** zod, and what is the commands' own. */
function isBundled(path) {
  const [top, name] = relative(projectFolder, path).split(sep);
  if (top === "node_modules") return name === "zod";
  return top === "dist";
}

/** A copy of a package brings its licence along. */
function licence() {
  const text = readFileSync(join(projectFolder, "node_modules/zod/LICENSE"), "utf8");
  return `/*!\nThis file holds parts of zod.\n\n${text}*/`;
}

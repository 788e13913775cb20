/**
 * Puts what the quick commands load into a few files, in the place of what tsc has made of them: reading a module costs
 * Node half a millisecond, and `cleat call` read 220 of them. 95 were zod's, most of them its messages in other
 * languages.
 *
 * Whatever else is loaded besides imports the same files: so that an error is of the same class on both sides, all that
 * stays outside finds what it imports where it was, by its own name.
 */
import { readFileSync, rmSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { rolldown } from "rolldown";
import { cliEntry, main, projectFolder } from "./prepare.mjs";

const dist = join(projectFolder, "dist");
const cli = dirname(cliEntry);
const quick = ["plugins/call", "plugins/ls", "plugins/inspect", "containerd/config-containerd"].map((name) =>
  join(cli, `${name}.js`),
);
/** Where parts go that several of them share. */
const shared = "bundled";

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
  const loaded = [...loadedFiles()];
  const errors = join(dist, "errors/index.js");
  const isError = (file) => dirname(file) === dirname(errors);
  await writeBundle(dirname(errors), [errors]);
  for (const file of loaded) if (isError(file) && file !== errors) rmSync(file);

  const atOnce = loaded.filter((file) => !isError(file));
  rmSync(join(cli, shared), { recursive: true, force: true });
  await writeBundle(cli, [...atOnce, ...quick], {
    external: (id, importer) => isError(id) || isOutside(id, importer) || looksBeside(id),
    chunkFileNames: ({ name }) => (name === "terminal" ? "terminal.js" : `${shared}/[name].js`),
    // The entry waits for its command, and whatever that imports must not wait for the entry.
    groups: [{ name: "terminal", test: (id) => atOnce.includes(id) && id !== cliEntry }],
  });
});

/** `dir` is the folder that all the files are below: what is external is imported as if they were there. */
async function writeBundle(dir, files, { external = () => false, chunkFileNames, groups } = {}) {
  const bundle = await rolldown({
    input: Object.fromEntries(files.map((file) => [relative(dir, file).slice(0, -".js".length), file])),
    platform: "node",
    external: (id, importer, isResolved) => isResolved && !files.includes(id) && external(id, importer),
    onLog: (level, log, handle) => handle("error", log),
  });
  await bundle.write({
    dir,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames,
    codeSplitting: { groups },
    banner: ({ moduleIds }) => (moduleIds.some((id) => id.includes("node_modules/zod")) ? licence() : ""),
  });
  await bundle.close();
}

/** All packages but zod, and the other commands. */
function isOutside(path, importer) {
  const [top, name] = relative(projectFolder, path).split(sep);
  return top === "node_modules" ? name !== "zod" : importer === join(cli, "commands.js");
}

/** What finds another file beside itself stays where that is. */
function looksBeside(file) {
  return readFileSync(file, "utf8").includes("import.meta.url");
}

/** A copy of a package brings its licence along. */
function licence() {
  const text = readFileSync(join(projectFolder, "node_modules/zod/LICENSE"), "utf8");
  return `/*!\nThis file holds parts of zod.\n\n${text}*/`;
}

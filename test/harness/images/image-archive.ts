import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { runCommand } from "../processes/command.ts";

/**
 * A layer of an image that is made without an engine: `fill` writes its files into the folder `tree`, or there is an
 * archive of it.
 */
export type LayerRecipe =
  | { readonly name: string; fill(tree: string): Promise<void> }
  | { readonly name: string; readonly archive: string };

/** The layer that makes an image run: a shell, and the few commands that tests call. */
export const shellLayer = {
  name: "shell",
  async fill(tree: string) {
    const busybox = (await runCommand(["sh", "-c", "command -v busybox"])).trim();
    await mkdir(`${tree}/bin`);
    await copyFile(busybox, `${tree}/bin/busybox`);
    for (const applet of ["cat", "ls", "seq", "sh", "sleep", "true"]) await symlink("busybox", `${tree}/bin/${applet}`);
  },
} satisfies LayerRecipe;

const madeAt = "2001-02-03T04:05:06Z";

/**
 * Writes an archive for `docker load`: an image of these layers, the lowest first, that runs `command`. The same
 * recipes give the same image id in every run. What is made on the way stands beside the archive until it is done.
 */
export async function writeImageArchive(
  archive: string,
  image: string,
  recipes: readonly LayerRecipe[],
  command: readonly string[] = ["sh"],
): Promise<void> {
  const staged = `${archive}.staged`;
  await mkdir(staged);
  const layers: Layer[] = [];
  for (const recipe of recipes) layers.push(await writeLayer(staged, recipe));
  const config = {
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    created: madeAt,
    config: { Cmd: command, Env: ["PATH=/bin"] },
    rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) },
    history: layers.map(({ file }) => ({ created: madeAt, created_by: file })),
  };
  const manifest = { Config: "config.json", RepoTags: [`${image}:latest`], Layers: layers.map(({ file }) => file) };
  await writeFile(`${staged}/config.json`, JSON.stringify(config));
  await writeFile(`${staged}/manifest.json`, JSON.stringify([manifest]));
  await runCommand(["tar", "--create", `--file=${archive}`, `--directory=${staged}`, "."]);
  await rm(staged, { recursive: true });
}

interface Layer {
  readonly file: string;
  readonly digest: string;
}

async function writeLayer(staged: string, recipe: LayerRecipe): Promise<Layer> {
  const file = `${recipe.name}.tar`;
  if ("archive" in recipe) await copyFile(recipe.archive, `${staged}/${file}`);
  else await archiveTree(staged, file, recipe.fill);
  const hash = createHash("sha256");
  await pipeline(createReadStream(`${staged}/${file}`), hash);
  return { file, digest: `sha256:${hash.digest("hex")}` };
}

async function archiveTree(staged: string, file: string, fill: (tree: string) => Promise<void>): Promise<void> {
  const tree = `${staged}/tree`;
  await mkdir(tree);
  await fill(tree);
  const fixed = ["--sort=name", `--mtime=${madeAt}`, "--owner=0", "--group=0", "--numeric-owner"];
  await runCommand(["tar", "--create", `--file=${staged}/${file}`, ...fixed, `--directory=${tree}`, "."]);
  await rm(tree, { recursive: true });
}

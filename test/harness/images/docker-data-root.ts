import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { applyLayerExactly } from "../../../src/layer/index.ts";
import { chainIdsOf } from "../../../src/layerstore/index.ts";
import { close, O_CREAT, O_DIRECTORY, O_RDONLY, O_RDWR, openPath } from "../../../src/syscall/index.ts";
import { runCommand } from "../processes/command.ts";

/**
 * Writes, without a daemon, what Docker has in its data root of the image in an archive of `writeImageArchive`'s, as
 * far as the image's archives are made of it; its tags are `names`. Layers are called "layer-1" and so on, from the
 * lowest up.
 */
export async function writeDockerDataRoot(root: string, archive: string, names: readonly string[]): Promise<void> {
  const staged = `${root}/staged`;
  await mkdir(`${root}/overlay2/l`, { recursive: true });
  await mkdir(staged);
  await runCommand(["tar", "--extract", `--file=${archive}`, `--directory=${staged}`]);
  const [manifest] = JSON.parse(await readFile(`${staged}/manifest.json`, "utf8")) as [{ Layers: string[] }];
  const config = await readFile(`${staged}/config.json`, "utf8");
  const { rootfs } = JSON.parse(config) as { rootfs: { diff_ids: string[] } };
  const image = `${root}/image/overlay2`;
  for (const [at, chainId] of chainIdsOf(rootfs.diff_ids).entries()) {
    const records = `${image}/layerdb/${chainId.replace(":", "/")}`;
    const id = `layer-${at + 1}`;
    await write(`${records}/cache-id`, id);
    await write(`${records}/diff`, rootfs.diff_ids[at] as string);
    await mkdir(`${root}/overlay2/${id}/diff`, { recursive: true });
    await fillLayer(`${staged}/${manifest.Layers[at]}`, `${root}/overlay2/${id}/diff`, `${records}/tar-split.json.gz`);
  }
  const id = `sha256:${createHash("sha256").update(config).digest("hex")}`;
  await write(`${image}/imagedb/content/${id.replace(":", "/")}`, config);
  const tags = Object.fromEntries(names.map((name) => [name, id]));
  await write(`${image}/repositories.json`, JSON.stringify({ Repositories: { all: tags } }));
  await rm(staged, { recursive: true });
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

async function fillLayer(archive: string, tree: string, data: string): Promise<void> {
  const source = openSync(archive, "r");
  const [root, kept] = [openPath(tree, O_RDONLY | O_DIRECTORY), openPath(data, O_RDWR | O_CREAT, 0o600)];
  const buffer = Buffer.alloc(64 * 1024);
  const read = () => {
    const count = readSync(source, buffer);
    return count === 0 ? undefined : buffer.subarray(0, count);
  };
  const umask = process.umask(0);
  try {
    const options = {
      whiteouts: { kind: "overlay", attributePrefix: "trusted." },
      ids: { uids: [], gids: [] },
      syncFiles: false,
    } as const;
    await applyLayerExactly({ read }, root, kept, options);
  } finally {
    process.umask(umask);
    for (const descriptor of [kept, root]) close(descriptor);
    closeSync(source);
  }
}

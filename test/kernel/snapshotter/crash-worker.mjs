/** A snapshotter's day, over and over, each step announced before and after; until it is killed. */
import { mkdirSync, writeFileSync } from "node:fs";

import { openers } from "./openers.mjs";

const [driver, root, life, durability] = process.argv.slice(2);
/** Resolves when the kernel has it: a line that waits in here would be lost. */
const say = (line) => new Promise((resolve) => process.stdout.write(`${line}\n`, resolve));
const snapshotter = await openers.inProcess(driver)(root, { durability });
await say("opened");

async function step(what, name, work) {
  await say(`? ${what} ${name}`);
  const result = await work();
  await say(`! ${what} ${name}`);
  return result;
}

const ref = (layer) => ({ "containerd.io/snapshot.ref": layer });
const folderOf = ([{ source, options }]) =>
  options.find((option) => option.startsWith("upperdir="))?.slice("upperdir=".length) ?? source;

async function unpack(name, parent, isRebased) {
  const key = `ns/1/extract-${name}`;
  const mounts = await step("prepare", key, () =>
    snapshotter.prepare(key, { parent: isRebased ? undefined : parent, labels: ref(name) }),
  );
  mkdirSync(`${folderOf(mounts)}/${name}`);
  for (let file = 0; file < 20; file++) writeFileSync(`${folderOf(mounts)}/${name}/${file}`, `${name} ${file}`);
  await step("commit", name, () => snapshotter.commit(name, key, { labels: ref(name), parent }));
}

for (let day = 0; ; day++) {
  const [base, top, container, view] = ["base", "top", "c", "v"].map((kind) => `${kind}-${life}-${day}`);
  await unpack(base, undefined, false);
  await unpack(top, base, ["overlay2", "fuse-overlayfs"].includes(driver));
  await step("prepare", container, () => snapshotter.prepare(container, { parent: top }));
  await step("view", view, () => snapshotter.view(view, { parent: top }));
  await step("update", container, () => snapshotter.update(container, { labels: { l: "1" } }));
  if (day % 2 === 0) continue;
  for (const name of [view, container, top, base]) await step("remove", name, () => snapshotter.remove(name));
}

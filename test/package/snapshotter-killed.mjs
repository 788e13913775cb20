// Prepares, commits and removes snapshots, many at once, and says of each when it is acknowledged; until it is killed.
import { mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { openSnapshotter } from "cleat/snapshotter";

const [root, run] = process.argv.slice(2);
const [places, removed] = [join(root, "places"), join(root, "removed")];
for (const folder of [places, removed]) mkdirSync(folder, { recursive: true });

/** Keeps what is removed, so that a number which is given twice is noticed. */
const storage = {
  capabilities: { needsParents: true },
  list: async () => readdirSync(places).map((name) => ({ id: Number(name), parentId: undefined })),
  async create({ id }) {
    if (readdirSync(removed).includes(String(id))) throw new Error(`number ${id} was given twice`);
    mkdirSync(join(places, String(id)));
    return storage.mounts(id);
  },
  mounts: async (id) => [{ type: "bind", source: join(places, String(id)), options: ["rw"] }],
  usage: async () => ({ sizeBytes: 1, inodes: 1 }),
  remove: async (id) => renameSync(join(places, String(id)), join(removed, String(id))),
  async sweep(isLive) {
    for (const id of readdirSync(places)) if (!isLive(Number(id))) await storage.remove(Number(id));
  },
  close: async () => {},
};

const snapshotter = await openSnapshotter({ root: join(root, "records"), storage });
/** Resolves when the kernel has it: a line that waits in here would be lost. */
const say = (line) => new Promise((resolve) => process.stdout.write(`${line}\n`, resolve));
await say("open");

async function work(worker) {
  for (let count = 0; ; count++) {
    const name = `${run}/${worker}/${count}`;
    await snapshotter.prepare(`${name} key`, { labels: { name, long: "x".repeat(3_000) } });
    await say(`+${name} key`);
    await say(`?${name} key`);
    await snapshotter.commit(name, `${name} key`, { labels: { name } });
    await say(`+${name}`);
    if (count % 3 !== 0) continue;
    await say(`?${name}`);
    await snapshotter.remove(name);
    await say(`-${name}`);
  }
}
for (let worker = 0; worker < 20; worker++) {
  work(worker).catch((error) => {
    console.error(error);
    process.exit(1);
  });
}

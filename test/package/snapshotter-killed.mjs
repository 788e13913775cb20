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
const say = (line) => process.stdout.write(`${line}\n`);
say("open");

async function work(worker) {
  for (let count = 0; ; count++) {
    const name = `${run}/${worker}/${count}`;
    await snapshotter.prepare(`${name} key`, { labels: { name, long: "x".repeat(3_000) } });
    say(`+${name} key`);
    say(`?${name} key`);
    await snapshotter.commit(name, `${name} key`, { labels: { name } });
    say(`+${name}`);
    if (count % 3 !== 0) continue;
    say(`?${name}`);
    await snapshotter.remove(name);
    say(`-${name}`);
  }
}
for (let worker = 0; worker < 20; worker++) {
  work(worker).catch((error) => {
    console.error(error);
    process.exit(1);
  });
}

/** A process without descriptors to spare: what cannot be done is said, nothing is lost, and it goes on with some. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";

import { btrfs, overlay2, vfs } from "cleat/drivers";
import { openGraphDriverSnapshotter } from "cleat/snapshotter";

const [name, folder, limited] = process.argv.slice(2);
/** Each thread that starts has a hundred modules open at once, for a moment. */
const limit = 512;
const tries = 3;

if (limited === undefined) {
  const command = `ulimit -n ${limit} && exec "$@"`;
  const words = [process.execPath, process.argv[1], name, folder, "limited"];
  const { status, signal } = spawnSync("sh", ["-c", command, "sh", ...words], { stdio: "inherit" });
  process.exit(signal === null ? status : 1);
}

const open = () => openGraphDriverSnapshotter({ driver: { btrfs, overlay2, vfs }[name], root: `${folder}/snapshots` });
const range = (count) => Array.from({ length: count }, (_, at) => at);
let snapshotter = await open();
await Promise.all(range(200).map((at) => snapshotter.prepare(`key ${at}`, {})));
await Promise.all(range(200).map((at) => snapshotter.commit(`image ${at}`, `key ${at}`, {})));
await Promise.all(range(200).map((at) => snapshotter.prepare(`layer ${at}`, { parent: `image ${at}` })));
await Promise.all(range(200).map((at) => snapshotter.usage(`layer ${at}`)));

const held = holdAll();
const acknowledged = {
  prepare: await tryEach((at) => snapshotter.prepare(`new ${at}`, { parent: "image 0" })),
  usage: await tryEach((at) => snapshotter.usage(`layer ${at}`)),
  commit: await tryEach((at) => snapshotter.commit(`committed ${at}`, `layer ${at}`, {})),
  remove: await tryEach((at) => snapshotter.remove(`layer ${100 + at}`)),
};
await assert.rejects(snapshotter.cleanup(), { code: "RESOURCE_EXHAUSTED" });
await Promise.all(range(200).map((at) => snapshotter.stat(`image ${at}`)));
// So many that the journal is to be written anew.
for (const round of range(5)) {
  const labels = { round: `${round}`.repeat(4000) };
  await Promise.all(range(200).map((at) => snapshotter.update(`image ${at}`, { labels })));
}
for (const descriptor of held) closeSync(descriptor);

const before = await content();
assert.deepEqual(numbered(before, /^active new (\d+)$/), acknowledged.prepare);
assert.deepEqual(numbered(before, /^committed committed (\d+)$/), acknowledged.commit);
const left = numbered(before, /^active layer 1(\d\d)$/);
assert.deepEqual(
  range(tries).filter((at) => !left.includes(at)),
  acknowledged.remove,
);
await snapshotter.close();
snapshotter = await open();
assert.deepEqual(await content(), before);
for (const at of range(tries)) await snapshotter.prepare(`again ${at}`, { parent: "image 0" });
await snapshotter.cleanup();
await snapshotter.close();

function holdAll() {
  const all = [];
  try {
    for (;;) all.push(openSync("/dev/null", "r"));
  } catch (error) {
    assert.equal(error.code, "EMFILE");
    return all;
  }
}

/** Those of three at once that went well; the others say what there was too little of. */
async function tryEach(call) {
  const outcomes = await Promise.allSettled(range(tries).map(call));
  for (const { reason } of outcomes.filter(({ status }) => status === "rejected")) {
    assert.equal(reason.code, "RESOURCE_EXHAUSTED", reason.stack);
    assert.match(reason.message, /EMFILE/);
  }
  return range(tries).filter((at) => outcomes[at].status === "fulfilled");
}

async function content() {
  const found = [];
  for await (const { name: key, kind } of snapshotter.list()) found.push(`${kind} ${key}`);
  return found.toSorted();
}

function numbered(found, pattern) {
  return found.flatMap((text) => pattern.exec(text)?.slice(1).map(Number) ?? []);
}

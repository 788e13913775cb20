/**
 * How long `overlay2` takes for its calls in a store of many layers, and to open that store: prints JSON, microseconds
 * by the call's name. JavaScript, because it runs on the built package.
 *
 *     node counts.mjs HOME LAYERS CALLS
 */
import { overlay2 } from "cleat/drivers";

const [home, layers, calls] = process.argv.slice(2);
const atOnce = 16;
const open = () => overlay2.open({ home, durability: "none" });

let driver = await open();
await driver.create("base", {});
await fill(Number(layers));
await driver.close();

const startMs = performance.now();
driver = await open();
const times = { open: [(performance.now() - startMs) * 1_000] };
await live(50); // this program is slow at first
for (const call of Object.keys(times)) if (call !== "open") times[call] = [];
await live(Number(calls));
await driver.close();
console.log(JSON.stringify(Object.fromEntries(Object.entries(times).map(([call, each]) => [call, medianOf(each)]))));

async function fill(count) {
  let made = 0;
  const worker = async () => {
    while (made < count) await driver.create(`layer-${made++}`, { parent: "base" });
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

async function live(count) {
  for (let index = 0; index < count; index++) {
    await timed("create", () => driver.createReadWrite("one", { parent: "base" }));
    await timed("exists", () => driver.exists("one"));
    await timed("get", () => driver.get("one"));
    await timed("put", () => driver.put("one"));
    await timed("remove", () => driver.remove("one", { evenWithChildren: true }));
  }
}

async function timed(call, work) {
  const start = performance.now();
  await work();
  (times[call] ??= []).push((performance.now() - start) * 1_000);
}

function medianOf(each) {
  return each.toSorted((a, b) => a - b)[each.length >> 1];
}

import { mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createServedName } from "./served-name.ts";

let folder: string;
let file: string;
let snapshots: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-served-"));
  file = join(folder, "served-as.json");
  snapshots = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function* list() {
  yield* snapshots as never[];
}
function serve() {
  const served = createServedName({ list }, { file });
  return { claim: (name: string) => served.within(name, async () => {}) };
}
const refused = { code: "FAILED_PRECONDITION", message: expect.stringContaining('snapshots of "cleat"') as string };

it("is the first, also after a restart, for as long as there are snapshots", async () => {
  const served = serve();
  await served.claim("cleat");
  await served.claim("cleat");
  snapshots = ["one"];
  await expect(served.claim("kata")).rejects.toMatchObject(refused);
  const restarted = serve();
  await expect(restarted.claim("kata")).rejects.toMatchObject(refused);
  await restarted.claim("cleat");
  snapshots = [];
  await restarted.claim("kata");
  snapshots = ["two"];
  await expect(restarted.claim("cleat")).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
  expect(JSON.parse(await readFile(file, "utf8"))).toEqual({ version: 1, snapshotter: "kata" });
});

it("is one of several that come at once", async () => {
  snapshots = ["one"];
  const served = serve();
  const outcomes = await Promise.allSettled(["cleat", "kata", "cleat", "third"].map((name) => served.claim(name)));
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "rejected"]);
});

it("of a later version is not guessed at", async () => {
  const text = '{"version": 2, "names": ["cleat"]}';
  await writeFile(file, text);
  await expect(serve().claim("cleat")).rejects.toThrow("which a later Cleat has written");
  expect(await readFile(file, "utf8")).toBe(text);
});

it("is not lost to a disk that does not give it for a moment", async () => {
  await mkdir(file);
  const served = serve();
  await expect(served.claim("kata")).rejects.toMatchObject({ message: expect.stringContaining("EISDIR") as string });
  await rmdir(file);
  await writeFile(file, '{"version": 1, "snapshotter": "cleat"}');
  snapshots = ["one"];
  await expect(served.claim("kata")).rejects.toMatchObject(refused);
  await served.claim("cleat");
});

it("need not be told by who is no containerd, and keeps nobody from being served who has it", async () => {
  const served = serve();
  await served.claim("");
  await expect(served.claim("x".repeat(2_000))).rejects.toThrow("too long");
  snapshots = ["one"];
  await writeFile(file, "{");
  await served.claim("cleat");
  await rm(folder, { recursive: true });
  await serve().claim("cleat"); // it cannot be kept
});

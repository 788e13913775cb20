import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { openStore } from "./index.ts";
import type { DraftTables } from "./store.ts";

const tables = { notes: z.string() };

let root: string;
beforeEach(async () => void (root = await mkdtemp(join(tmpdir(), "cleat-older-"))));
afterEach(() => rm(root, { recursive: true }));

const open = (settleOlder?: (tables: DraftTables<{ notes: z.ZodString }>) => void) =>
  openStore({
    folder: join(root, "state"),
    markFile: join(root, "mark.json"),
    tables,
    ...(settleOlder !== undefined && { settleOlder }),
  });
const journal = () => join(root, "state/records");

/** A store of which a copy of its records, made before its last change, is brought back. */
async function bringBackOlder(): Promise<Buffer> {
  const store = await open();
  await store.tables.notes.put("a", "old");
  const copy = await readFile(journal());
  await store.tables.notes.put("a", "new");
  await store.close();
  await writeFile(journal(), copy);
  return copy;
}

it("records older than the mark are refused and left as they are, until it is removed", async () => {
  const copy = await bringBackOlder();
  for (let times = 0; times < 2; times++) {
    await expect(open()).rejects.toMatchObject({
      code: "DATA_LOSS",
      message: expect.stringContaining(`remove "${join(root, "mark.json")}"`),
    });
  }
  expect(await readFile(journal())).toEqual(copy);
  await rm(join(root, "mark.json"));
  await using store = await open();
  expect(store.tables.notes.get("a")).toBe("old");
});

it("what older records are settled to is durable before the mark follows, also where nothing is changed", async () => {
  await bringBackOlder();
  const failing = open(() => {
    throw new Error("not yet");
  });
  await expect(failing).rejects.toThrow("not yet");
  await (await open(({ notes }) => notes.put("a", "settled"))).close();
  const again = await open(() => expect.unreachable());
  expect(again.tables.notes.get("a")).toBe("settled");
  await again.close();
  await bringBackOlder();
  await (await open(() => {})).close();
  await (await open()).close();
});

it("a backup of everything is opened as it is, and so are records begun anew", async () => {
  const store = await open();
  await store.tables.notes.put("a", "old");
  await store.close();
  const backup = await mkdtemp(join(tmpdir(), "cleat-backup-"));
  onTestFinished(() => rm(backup, { recursive: true }));
  await cp(root, backup, { recursive: true });
  const later = await open();
  await later.tables.notes.put("a", "new");
  await later.close();
  await rm(root, { recursive: true });
  await cp(backup, root, { recursive: true });
  await (await open()).close();
  await rm(join(root, "state"), { recursive: true });
  await (await open()).close();
  await (await open()).close();
});

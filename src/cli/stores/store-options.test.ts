import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { LayerStore } from "../../layerstore/index.ts";
import { type CommandContext, UsageError } from "../terminal/command.ts";
import { visitStores } from "./store-options.ts";

let root: string;
let stderr: PassThrough;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "cleat-"));
  stderr = new PassThrough();
  for (const store of ["aufs/mnt", "overlay2/l", "vfs/dir"]) await mkdir(join(root, store), { recursive: true });
});
afterEach(() => rm(root, { recursive: true }));

/** What was said on stderr, the stores that were visited, and whether those were all. */
async function visitAll(operand: string, visit: (store: LayerStore) => Promise<void> = async () => {}) {
  const visited: string[] = [];
  const context = { env: {}, uid: 1000, stderr } as unknown as CommandContext;
  const isComplete = await visitStores("fsck", [operand], {}, context, async (store) => {
    await visit(store);
    visited.push(store.driver);
  });
  return { visited, isComplete, said: String(stderr.read() ?? "") };
}

it("visits the others where one store is of a driver that nobody here has", async () => {
  const { visited, isComplete, said } = await visitAll(root);
  expect(visited).toEqual(["overlay2", "vfs"]);
  expect(isComplete).toBe(false);
  expect(said).toMatch(/^cleat: home ".*\/aufs" cannot be looked at: driver "aufs" is unknown.*\n$/);
});

it("visits the others where one is being served, say", async () => {
  await rm(join(root, "aufs"), { recursive: true });
  const { visited, isComplete, said } = await visitAll(root, async ({ driver }) => {
    if (driver === "overlay2") throw new Error("it is served\u001b[2J");
  });
  expect({ visited, isComplete, said }).toEqual({
    visited: ["vfs"],
    isComplete: false,
    said: `cleat: it is served${String.raw`\x1b`}[2J\n`,
  });
});

it("throws what is wrong with the only one, which is not the command line", async () => {
  await expect(visitAll(join(root, "aufs"))).rejects.toSatisfy((error) => !(error instanceof UsageError));
  await expect(visitAll("")).rejects.toBeInstanceOf(UsageError);
  expect(await visitAll(join(root, "vfs"))).toEqual({ visited: ["vfs"], isComplete: true, said: "" });
});

it("says what is wrong with a path that is not a folder", async () => {
  await writeFile(join(root, "file"), "");
  await mkdir(join(root, "empty"));
  const refusal = (name: string) => visitAll(join(root, name)).catch((error: Error) => error);
  expect(await refusal("nope")).toMatchObject({ code: "NOT_FOUND", message: `folder "${root}/nope" does not exist` });
  expect(await refusal("file")).toMatchObject({ message: `path "${root}/file" is not a folder` });
  expect(await refusal("file/x")).toMatchObject({ message: `path "${root}/file/x" is not a folder` });
  expect(await refusal("empty")).toMatchObject({
    code: "NOT_FOUND",
    message: expect.stringContaining("is not a store"),
  });
});

import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { SystemError } from "../../../errors/index.ts";
import { prepareHome } from "../../../graphdriver/home/folders/home.ts";
import type * as syscalls from "../../../syscall/index.ts";
import { createLayer } from "../layers/create-layer.ts";
import { linksFolder } from "./layout.ts";
import { markParents } from "./mark-parents.ts";

/** At what nobody can look. */
const hidden = vi.hoisted(() => ({ path: "none" }));
vi.mock("../../../syscall/index.ts", async (importOriginal) => {
  const original = await importOriginal<typeof syscalls>();
  const statIfThere: typeof original.statIfThere = (folder, name) => {
    if (String(name) === hidden.path) throw new SystemError(constants.errno.EIO, "statx", name);
    return original.statIfThere(folder, name);
  };
  return { ...original, statIfThere };
});

let home: string;
const mark = (id: string) => `${home}/${id}/committed`;
const owner = { rootUid: process.geteuid?.() ?? 0, rootGid: process.getegid?.() ?? 0 };

beforeEach(() => {
  home = prepareHome(mkdtempSync(join(tmpdir(), "cleat-")), 0);
  mkdirSync(`${home}/${linksFolder}`);
  for (const [id, parent] of [["1"], ["2", "1"], ["3", "2"]] as const)
    createLayer(home, { id, parent, ...owner, durable: false, maxDepth: 128 });
  for (const id of ["1", "2"]) rmSync(mark(id));
});
afterEach(() => {
  hidden.path = "none";
  rmSync(home, { recursive: true });
});

it("marks all that have a child", () => {
  expect([...markParents(home)]).toEqual([]);
  expect(["1", "2", "3"].map((id) => existsSync(mark(id)))).toEqual([true, true, false]);
});

it("tells of one that it cannot mark, and marks the others", () => {
  hidden.path = "1/committed";
  expect([...markParents(home)]).toEqual([["1", expect.stringMatching(/^EIO/)]]);
  expect(["1", "2", "3"].map((id) => existsSync(mark(id)))).toEqual([false, true, false]);
});

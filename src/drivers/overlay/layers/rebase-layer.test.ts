import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { prepareHome } from "../../../graphdriver/home/folders/home.ts";
import type * as syscalls from "../../../syscall/index.ts";
import { createLayer } from "./create-layer.ts";
import { checkStore, repairStore } from "../inspect/store-jobs.ts";
import { sweepStore } from "../diffs/layer-diff.ts";
import { linksFolder, parentOf, readLayer } from "../layout/layout.ts";
import { rebaseLayer } from "./rebase-layer.ts";

/** Throws at the n-th of the calls that change something, as if the process had died there. */
const crash = vi.hoisted(() => {
  const state = { after: Number.POSITIVE_INFINITY, calls: 0 };
  const step = (): void => {
    state.calls += 1;
    if (state.calls > state.after) throw new Error("crashed");
  };
  return { state, step };
});
vi.mock("../../../syscall/index.ts", async (importOriginal) => {
  const original = await importOriginal<typeof syscalls>();
  const wrap = <Args extends unknown[], T>(call: (...args: Args) => T) => {
    return (...args: Args): T => {
      crash.step();
      return call(...args);
    };
  };
  return {
    ...original,
    renameat2: wrap(original.renameat2),
    fsync: wrap(original.fsync),
    fchmod: wrap(original.fchmod),
    mkdirat: wrap(original.mkdirat),
    tryUnlinkat: wrap(original.tryUnlinkat),
    unlinkat: wrap(original.unlinkat),
    rmdirat: wrap(original.rmdirat),
    beginCommit: wrap(original.beginCommit),
  };
});

let home: string;
beforeEach(() => {
  crash.state.after = Number.POSITIVE_INFINITY;
  home = prepareHome(mkdtempSync(join(tmpdir(), "cleat-")), 0);
  mkdirSync(`${home}/${linksFolder}`);
  for (const id of ["base", "other", "loose"]) make(id);
  make("middle", "base");
  writeFileSync(`${home}/loose/diff/f`, "content");
});
afterEach(() => {
  crash.state.after = Number.POSITIVE_INFINITY;
  rmSync(home, { recursive: true });
});

const owner = { rootUid: 0, rootGid: 0, maxDepth: 128 };
const make = (id: string, parent?: string): void => void createLayer(home, { id, parent, durable: false, ...owner });
const rebase = (id: string, parent?: string, maxDepth = 128): void =>
  rebaseLayer(home, { id, parent, ...owner, maxDepth });
const parent = (id: string): string | undefined => parentOf(home, readLayer(home, id));

/** As the store is opened; and sound then, with the layer on its parent or on none. */
function expectEither(parents: readonly (string | undefined)[]): void {
  sweepStore(home);
  expect(parents).toContain(parent("loose"));
  expect(checkStore(home)).toEqual([]);
  expect(existsSync(`${home}/loose/work`)).toBe(parent("loose") !== undefined);
  expect(readFileSync(`${home}/loose/diff/f`, "utf8")).toBe("content");
  expect(readdirSync(`${home}/.cleat/staging`)).toEqual([]);
}

it("lays a layer on another, marks that, and takes it back", () => {
  rebase("loose", "middle");
  expect(readLayer(home, "loose").lowers).toHaveLength(2);
  expect(parent("loose")).toBe("middle");
  expect(lstatSync(`${home}/loose/work`).mode & 0o7777).toBe(0o700);
  expect(existsSync(`${home}/middle/committed`)).toBe(true);
  rebase("loose", "middle");
  expectEither(["middle"]);
  rebase("loose");
  rebase("loose");
  expectEither([undefined]);
});

it("refuses what would lose or mix something, and changes nothing", () => {
  expect(() => rebase("loose", "loose")).toThrow('layer "loose" cannot lie on itself');
  expect(() => rebase("loose", "nobody")).toThrow('parent "nobody" of layer "loose" does not exist');
  expect(() => rebase("nobody", "base")).toThrow('layer "nobody" does not exist');
  expect(() => rebase("middle", "other")).toThrow('layer "middle" lies on layer "base", not on none');
  expect(() => rebase("loose", "middle", 1)).toThrow('layer "loose" would lie on 2 layers, more than 1');
  expectEither([undefined]);
});

it("leaves a layer as it was when the disk is full", () => {
  crash.state.calls = 0;
  crash.state.after = 0;
  expect(() => rebase("loose", "base")).toThrow("crashed");
  crash.state.after = Number.POSITIVE_INFINITY;
  expectEither([undefined]);
});

describe("a crash at any step", () => {
  /** Runs `work` with a crash after each number of steps, until there are no more. */
  function crashEverywhere(prepare: () => void, work: () => void, parents: readonly (string | undefined)[]): number {
    const seen = new Set<string | undefined>();
    for (let after = 0; ; after++) {
      prepare();
      crash.state.calls = 0;
      crash.state.after = after;
      let isDone = true;
      try {
        work();
      } catch {
        isDone = false;
      }
      const isOver = crash.state.calls <= after;
      crash.state.after = Number.POSITIVE_INFINITY;
      expectEither(parents);
      seen.add(parent("loose"));
      if (isDone && isOver) {
        expect([...seen].map(String).toSorted()).toEqual(parents.map(String).toSorted());
        return after;
      }
    }
  }

  it("leaves the layer on its parent or on none, when it is laid there", () => {
    const steps = crashEverywhere(
      () => rebase("loose"),
      () => rebase("loose", "middle"),
      [undefined, "middle"],
    );
    expect(steps).toBeGreaterThan(3);
  });

  it("leaves the layer on its parent or on none, when that is taken back", () => {
    const steps = crashEverywhere(
      () => rebase("loose", "middle"),
      () => rebase("loose"),
      [undefined, "middle"],
    );
    expect(steps).toBeGreaterThan(3);
  });
});

it("takes a work folder that a crash left when the store is repaired, and no other", () => {
  mkdirSync(`${home}/loose/work/work`, { recursive: true });
  writeFileSync(`${home}/.cleat/staging/rebase-loose`, "l/AAAA");
  writeFileSync(`${home}/.cleat/staging/rebase-middle`, "l/AAAA"); // of a rename that was done
  expect(repairStore(home).left).toEqual([]);
  expect(existsSync(`${home}/loose/work`)).toBe(false);
  expect(existsSync(`${home}/middle/work`)).toBe(true);
  expect(checkStore(home)).toEqual([]);
});

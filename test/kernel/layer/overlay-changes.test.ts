/**
 * The fast diff of overlay, which reads the upper folder alone, against the slow one, which compares the mounted trees.
 */
import * as fs from "node:fs";
import * as fc from "fast-check";
import { expect, it } from "vitest";

import {
  compareTrees,
  findChangesDepthFirst,
  findOverlayChanges,
  type LayerChange,
  overlayChanges,
  type TreeChange,
  withFolderAt,
} from "../../../src/layer/index.ts";
import { lsetxattr } from "../../../src/syscall/index.ts";
import { describeWith, needs } from "../../needs.ts";
import { makeScratch, withOverlay } from "./overlay-mount.support.ts";

type Edit = (root: string) => void;

const name = fc.constantFrom("a", "b", "c", "d");
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const edit: fc.Arbitrary<Edit> = fc.oneof(
  path.map(
    (at): Edit =>
      (root) =>
        fs.writeFileSync(`${root}/${at}`, String(Math.random())),
  ),
  path.map(
    (at): Edit =>
      (root) =>
        fs.mkdirSync(`${root}/${at}`, { recursive: true }),
  ),
  path.map(
    (at): Edit =>
      (root) =>
        fs.rmSync(`${root}/${at}`, { recursive: true }),
  ),
  fc.tuple(path, path).map(
    ([from, to]): Edit =>
      (root) =>
        fs.renameSync(`${root}/${from}`, `${root}/${to}`),
  ),
  fc.tuple(path, path).map(
    ([from, to]): Edit =>
      (root) =>
        fs.linkSync(`${root}/${from}`, `${root}/${to}`),
  ),
  fc.tuple(path, path).map(([target, at]): Edit => (root) => {
    fs.rmSync(`${root}/${at}`, { recursive: true, force: true });
    fs.symlinkSync(target, `${root}/${at}`);
  }),
  path.map((at): Edit => (root) => {
    fs.rmSync(`${root}/${at}`, { recursive: true });
    fs.mkdirSync(`${root}/${at}`);
  }),
  path.map((at): Edit => (root) => {
    fs.rmSync(`${root}/${at}`, { recursive: true });
    fs.mkdirSync(`${root}/${at}`);
    for (const again of ["a", "b"]) fs.writeFileSync(`${root}/${at}/${again}`, "again");
  }),
  fc.tuple(path, fc.constantFrom(0o700, 0o755, 0o4711)).map(([at, mode]): Edit => (root) => {
    if (!fs.lstatSync(`${root}/${at}`).isSymbolicLink()) fs.chmodSync(`${root}/${at}`, mode);
  }),
  fc.tuple(path, fc.nat(2)).map(
    ([at, uid]): Edit =>
      (root) =>
        fs.lchownSync(`${root}/${at}`, uid, 0),
  ),
  fc.tuple(path, fc.nat(2)).map(
    ([at, time]): Edit =>
      (root) =>
        fs.lutimesSync(`${root}/${at}`, time, time),
  ),
);
const edits = fc.array(edit, { minLength: 5, maxLength: 40 });

/** Makes those edits that the tree allows. */
function perform(list: readonly Edit[], root: string): void {
  for (const one of list) {
    try {
      one(root);
    } catch (error) {
      expect((error as NodeJS.ErrnoException).syscall).toBeDefined();
    }
  }
}

const lines = (changes: readonly TreeChange[]): string[] => changes.map(({ kind, path: at }) => `${kind} ${at}`);

function changedLines(changes: Iterable<LayerChange>): string[] {
  return Array.from(changes, ({ kind, path: at }) => `${kind} ${at}`).filter((line) => !line.startsWith("same "));
}

function fastChanges(upper: string, lowers: readonly string[]): string[] {
  return withFolderAt(upper, (folder) => lines(overlayChanges(folder, lowers, "trusted.")));
}

describeWith([needs.root, needs.overlay], "the changes of an overlay layer", () => {
  it("are those between the mounted trees, after any edits of any number of layers", () => {
    const scratch = makeScratch("changes");
    let run = 0;
    const kinds = new Set<string>();
    try {
      fc.assert(
        fc.property(edits, edits, edits, (first, second, third) => {
          const at = (layer: string): string => `${run}-${layer}`;
          run++;
          withOverlay(scratch.path, [at("empty")], at("1"), ({ merged }) => perform(first, merged));
          withOverlay(scratch.path, [at("1")], at("2"), ({ merged }) => perform(second, merged));
          withOverlay(scratch.path, [at("2"), at("1")], at("below"), ({ merged: below }) => {
            withOverlay(scratch.path, [at("2"), at("1")], at("3"), ({ merged, upper, lowers }) => {
              perform(third, merged);
              const slow = withFolderAt(merged, (newer) => withFolderAt(below, (older) => compareTrees(newer, older)));
              for (const { kind } of slow) kinds.add(kind);
              expect(fastChanges(upper, lowers)).toEqual(lines(slow));
              const inOrder = withFolderAt(merged, (newer) =>
                withFolderAt(below, (older) => changedLines(findChangesDepthFirst(newer, older))),
              );
              const fast = withFolderAt(upper, (folder) =>
                changedLines(findOverlayChanges(folder, lowers, "trusted.")),
              );
              expect(fast).toEqual(inOrder);
            });
          });
        }),
        { numRuns: 300 },
      );
    } finally {
      scratch.remove();
    }
    expect([...kinds].toSorted()).toEqual(["added", "deleted", "modified"]);
  });

  it("tell what is gone from folders that were removed and made again, one in the other", () => {
    const scratch = makeScratch("changes");
    try {
      fs.mkdirSync(`${scratch.path}/lower/a/b/c`, { recursive: true });
      fs.writeFileSync(`${scratch.path}/lower/a/b/f`, "");
      const upper = withOverlay(scratch.path, ["lower"], "upper", (layer) => {
        fs.rmSync(`${layer.merged}/a`, { recursive: true });
        fs.mkdirSync(`${layer.merged}/a/b`, { recursive: true });
        return layer.upper;
      });
      expect(fastChanges(upper, [`${scratch.path}/lower`])).toEqual([
        "modified a",
        "modified a/b",
        "deleted a/b/c",
        "deleted a/b/f",
      ]);
    } finally {
      scratch.remove();
    }
  });

  it("are refused where the layer changes what a layer below keeps elsewhere", () => {
    const scratch = makeScratch("changes");
    const others = "redirect_dir=on,metacopy=on";
    try {
      fs.mkdirSync(`${scratch.path}/base/d`, { recursive: true });
      for (const file of ["a", "b"]) fs.writeFileSync(`${scratch.path}/base/d/${file}`, file);
      fs.writeFileSync(`${scratch.path}/base/zeros`, "data");
      withOverlay(
        scratch.path,
        ["base"],
        "middle",
        ({ merged }) => {
          fs.renameSync(`${merged}/d`, `${merged}/e`);
          fs.chmodSync(`${merged}/zeros`, 0o700);
          fs.utimesSync(`${merged}/zeros`, 1, 1);
        },
        others,
      );
      const changes: Record<string, Edit> = {
        top: (root) => fs.rmSync(`${root}/e/a`),
        // The layer below has it as a hole of that length.
        same(root) {
          fs.writeFileSync(`${root}/zeros`, Buffer.alloc(4));
          fs.utimesSync(`${root}/zeros`, 1, 1);
        },
      };
      for (const [upper, change] of Object.entries(changes)) {
        withOverlay(
          scratch.path,
          ["middle", "base"],
          upper,
          ({ merged, upper: folder, lowers }) => {
            change(merged);
            expect(() => fastChanges(folder, lowers)).toThrow(expect.objectContaining({ code: "FAILED_PRECONDITION" }));
          },
          others,
        );
      }
    } finally {
      scratch.remove();
    }
  });

  it("are refused where the layer keeps content elsewhere", () => {
    const scratch = makeScratch("changes");
    try {
      for (const attribute of ["redirect", "metacopy"]) {
        const layer = `${scratch.path}/${attribute}`;
        fs.mkdirSync(`${layer}/d`, { recursive: true });
        fs.writeFileSync(`${layer}/d/f`, "");
        lsetxattr(
          `${layer}/d${attribute === "metacopy" ? "/f" : ""}`,
          `trusted.overlay.${attribute}`,
          Buffer.from("/"),
        );
        expect(() => fastChanges(layer, [])).toThrow(expect.objectContaining({ code: "FAILED_PRECONDITION" }));
      }
    } finally {
      scratch.remove();
    }
  });
});

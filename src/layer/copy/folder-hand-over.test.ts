import { mkdirSync } from "node:fs";
import { expect, it } from "vitest";
import { fstat } from "../../syscall/index.ts";
import { useScratch } from "../tree/trees.test.support.ts";
import { withFolderAt } from "../tree/with-folder.ts";
import type { CopyQueue } from "./copy-beside.ts";
import { createFolderHandOver } from "./folder-hand-over.ts";

const scratch = useScratch();

/** Words of `copy-beside.ts`, as a helper sets them. */
const [done, helper] = [1, 4];

it("takes no folder back in which the walk still makes something, which would change its times", () => {
  const folder = scratch.folder("folder");
  mkdirSync(`${folder}/target`);
  withFolderAt(folder, (source) => {
    let queue: CopyQueue | undefined;
    const beside = createFolderHandOver((asked) => {
      queue = asked;
      Atomics.store(asked.control, helper, 1);
    });
    const handed = { path: "", own: fstat(source) };
    expect(beside.hand(source, source, handed, 8)).toBe(false);
    expect(beside.hand(source, source, handed, 1_000)).toBe(true);
    Atomics.store(queue!.control, done, 1);
    expect(beside.isFor(1_000)).toBe(false);
    expect(beside.hand(source, source, handed, 1_000)).toBe(false);
    beside.leave();
    expect(beside.isFor(1_000)).toBe(true);
    const taken: boolean[] = [];
    beside.take(({ hasLeft }) => void taken.push(hasLeft));
    beside.take(() => expect.unreachable());
    expect(taken).toEqual([false]);
    beside.end();
  });
});

import { equal, fail, ok } from "node:assert/strict";
import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { isSystemError } from "../../../../errors/index.ts";
import { file, folder } from "../../../archive/entry.ts";
import type { GraphDriverCheck } from "../../check.ts";
import type { GraphDriverContext } from "../../context.ts";
import { makeContainer, makeLayer } from "../../layers.ts";

/** Larger ones take too long to fill, and may be somebody's. */
const maxDiskBytes = 512 * 2 ** 20;

function smallDisk({ scratch }: GraphDriverContext): string | undefined {
  const { blocks, bsize } = statfsSync(scratch);
  return blocks * bsize <= maxDiskBytes
    ? undefined
    : "the home's file system is too large to be filled: more than 512 MiB";
}

/** The last of all: until the file system has given back what was deleted, there may be little room for others. */
export const fullDiskChecks: readonly GraphDriverCheck[] = [
  {
    id: "full-disk/remove",
    title: "layers are removed from a disk that is full to the last name, which is how room is made",
    needs: smallDisk,
    async run(context) {
      const bottom = await makeLayer(context, undefined, [
        folder("d"),
        file("d/f", "f"),
        file("below", "b".repeat(9000)),
      ]);
      const middle = await makeLayer(context, bottom, [file("more", "m".repeat(9000))]);
      const top = await makeContainer(context, middle, (writer) => writer.write("written", "w"));
      const held = await makeContainer(context, middle);
      await context.driver.get(held, {});
      const ballast = `${context.scratch}/ballast`;
      mkdirSync(ballast);
      try {
        fillToTheLast(ballast);
        await context.driver.put(held);
        for (const id of [held, top, middle, bottom]) {
          await context.driver.remove(id);
          equal(await context.driver.exists(id), false, id);
        }
      } finally {
        rmSync(ballast, { recursive: true });
      }
    },
  },
];

/** First content, in pieces ever smaller, then names: what one of them cannot have is left for another. */
function fillToTheLast(ballast: string): void {
  for (const bytes of [2 ** 24, 2 ** 20, 2 ** 16, 4096, 2000, 512]) {
    const content = Buffer.alloc(bytes, "b");
    untilFull((at) => writeFileSync(`${ballast}/${bytes}-${at}`, content));
  }
  for (const length of [200, 10]) {
    untilFull((at) => writeFileSync(`${ballast}/${String(at).padStart(length, "f")}`, ""));
    untilFull((at) => mkdirSync(`${ballast}/${String(at).padStart(length, "d")}`));
  }
}

function untilFull(write: (at: number) => void): void {
  for (let at = 0; at < 200_000; at++) {
    try {
      write(at);
    } catch (error) {
      ok(isSystemError(error, "ENOSPC", "EDQUOT"), String(error));
      return;
    }
  }
  fail("the disk takes more than can be written");
}

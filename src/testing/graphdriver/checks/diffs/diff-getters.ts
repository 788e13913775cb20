/** Files of a layer, handed out by path without a mount. */
import { equal } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import type { DiffGetter } from "../../../../graphdriver/index.ts";
import { fifo, file, folder, hardLink, symlink } from "../../../archive/entry.ts";
import { readAll } from "../../../archive/stream.ts";
import type { GraphDriverCheck } from "../../check.ts";
import type { GraphDriverContext } from "../../context.ts";
import { makeLayer } from "../../layers.ts";
import { diffGetters } from "../../needs.ts";

export const diffGetterChecks: readonly GraphDriverCheck[] = [
  {
    id: "getter/files",
    title: "a diff getter hands out contents by the names of the archive",
    needs: diffGetters,
    async run(context) {
      const notUtf8 = Buffer.from("d/caf\xe9", "latin1");
      const big = Buffer.alloc(2 ** 20 + 1, "big");
      const id = await makeLayer(context, undefined, [
        folder("d"),
        file(notUtf8, "latin1"),
        hardLink("linked", notUtf8),
        symlink("l", "/d"),
        file("big", big),
        file("empty"),
      ]);
      await using getter = await openGetter(context, id);
      for (const name of [notUtf8, "linked", "/linked", "./l/../linked", Buffer.from("l/caf\xe9", "latin1")]) {
        equal((await readAll(await getter.get(Buffer.from(name as string)))).toString(), "latin1");
      }
      equal((await readAll(await getter.get(Buffer.from("big")))).equals(big), true);
      equal((await readAll(await getter.get(Buffer.from("empty")))).length, 0);
    },
  },
  {
    id: "getter/confined",
    title: "a diff getter never leaves its layer, and opens nothing but files",
    needs: diffGetters,
    async run(context) {
      const { scratch, refused } = context;
      writeFileSync(`${scratch}/secret`, "secret");
      const id = await makeLayer(context, undefined, [
        folder("d"),
        symlink("absolute", `${scratch}/secret`),
        symlink("out", scratch),
        symlink("up", "../../../../../../../.."),
        symlink("circle", "circle"),
        symlink("proc", "/proc/self/root"),
        fifo("pipe"),
      ]);
      await using getter = await openGetter(context, id);
      const names = ["absolute", "out/secret", `up${scratch}/secret`, "circle", `proc${scratch}/secret`, "pipe", "d"];
      for (const name of [...names, `${scratch}/secret`, "missing", "d/missing", "."]) {
        await refused(getter.get(Buffer.from(name)), "NOT_FOUND", name);
      }
      for (const name of [`../../../../../../../../../..${scratch}/secret`, "d/../../x", "a\0b"]) {
        await refused(getter.get(Buffer.from(name)), "INVALID_ARGUMENT", name.replace("\0", "\\u0000"));
      }
    },
  },
  {
    id: "getter/closed",
    title: "a diff getter is of no use once it is closed, while what it handed out goes on",
    needs: diffGetters,
    async run(context) {
      const id = await makeLayer(context, undefined, [file("f", "content")]);
      const getter = await openGetter(context, id);
      const stream = await getter.get(Buffer.from("f"));
      await getter.close();
      await getter.close();
      equal((await readAll(stream)).toString(), "content");
      await context.refused(getter.get(Buffer.from("f")), "FAILED_PRECONDITION", "diff getter");
    },
  },
  {
    id: "getter/unknown",
    title: "a diff getter of a layer that does not exist is refused",
    needs: diffGetters,
    run: (context) => context.refused(openGetter(context, "nobody"), "NOT_FOUND", "nobody"),
  },
];

async function openGetter({ driver }: GraphDriverContext, id: string): Promise<DiffGetter> {
  if (driver.diffGetter === undefined) throw new Error("driver has no diff getter");
  return driver.diffGetter(id);
}

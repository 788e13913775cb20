/** A program that does to paths what it reads on standard input, in place of a program that the host does not have. */
import { lookup } from "node:dns/promises";
import { lstatSync, readFileSync, statfsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { toCleatError } from "../../errors/index.ts";
import { removeForGood, withFolderAt } from "../../layer/index.ts";
import { MNT_DETACH, mount, MS_REC, MS_SLAVE, umount2, UMOUNT_NOFOLLOW } from "../../syscall/index.ts";
import type { Tool } from "./run-tool.ts";
import { markOf } from "./tree-mark.ts";

export interface ToolOrder {
  readonly tool: Tool;
  /** Paths, or names. */
  readonly subjects: readonly string[];
  /** What has each path (`markOf`): when whoever ordered it was killed, the next process may put another there. */
  readonly marks?: readonly (string | undefined)[];
}

const tools: Readonly<Record<Tool, (subject: string, mark: string | undefined) => string | Promise<string>>> = {
  umount: (path) => (umount2(path, UMOUNT_NOFOLLOW), ""),
  detach: (path) => (umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH), ""),
  enslave: (path) => (mount("none", path, "none", MS_REC | MS_SLAVE, ""), ""),
  statfs(path) {
    const { bsize, blocks, bfree, bavail, files, ffree } = statfsSync(path);
    return [bsize, blocks, bfree, bavail, files, ffree].join(" ");
  },
  stat: (path) => String(lstatSync(path).ino),
  lookup: async (name) => (await lookup(name)).address,
  // By descriptors, as who has the tree open still may exchange folders for symlinks, and stopping at what is mounted
  // in it: Node's own deletes that, too, from 24 on.
  rm(path, mark) {
    withFolderAt(dirname(path), (folder) => {
      if (markOf(`/proc/self/fd/${folder}/${basename(path)}`) === mark) removeForGood(folder, basename(path));
    });
    return "";
  },
};

const { tool, subjects, marks = [] } = JSON.parse(readFileSync(0, "utf8")) as ToolOrder;
for (const [at, subject] of subjects.entries()) {
  try {
    process.stdout.write(await tools[tool](subject, marks[at]));
  } catch (error) {
    const { message } = toCleatError(error);
    process.stderr.write(subjects.length === 1 ? message : `${subject}: ${message}\n`);
    process.exitCode = 1;
  }
}

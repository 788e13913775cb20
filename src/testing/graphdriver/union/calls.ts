/** Calls that take one name, and those that take two. */
import * as fs from "node:fs";
import { folder } from "../../archive/entry.ts";
import { createTreeWriter } from "../../tree/tree-writer.ts";
import {
  AT_FDCWD,
  lgetxattr,
  lsetxattr,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  renameat2,
} from "../../../syscall/index.ts";
import { folderStaysInImage } from "./differences.ts";
import type { Target } from "./targets.ts";
import type { Trial } from "./trial.ts";

/** What a process can do with one name. */
type Call = (path: string) => unknown;

const aSecond = 1_234_567_890;

export const nameCalls: Readonly<Record<string, Call>> = {
  unlink: (path) => fs.unlinkSync(path),
  rmdir: (path) => fs.rmdirSync(path),
  mkdir: (path) => fs.mkdirSync(path, 0o710),
  symlink: (path) => fs.symlinkSync("somewhere", path),
  readlink: (path) => fs.readlinkSync(path),
  "remove and make anew": (path) => [fs.rmSync(path, { recursive: true }), fs.mkdirSync(path)],
};

export const attributeCalls: Readonly<Record<string, Call>> = {
  chmod: (path) => [fs.chmodSync(path, 0o741), show(fs.statSync(path))],
  chown: (path) => [fs.chownSync(path, 12, 34), show(fs.statSync(path))],
  lchown: (path) => [fs.lchownSync(path, 12, 34), show(fs.lstatSync(path))],
  utimes: (path) => [fs.utimesSync(path, aSecond, aSecond), fs.statSync(path).mtimeMs],
  lutimes: (path) => [fs.lutimesSync(path, aSecond, aSecond), fs.lstatSync(path).mtimeMs],
  "truncate to less": (path) => [fs.truncateSync(path, 2), show(fs.statSync(path))],
  "truncate to more": (path) => [fs.truncateSync(path, 9000), show(fs.statSync(path))],
  "set an attribute": (path) => [lsetxattr(path, "user.note", Buffer.from("v")), lgetxattr(path, "user.note")?.length],
  "look for an attribute": (path) => lgetxattr(path, "user.note")?.length,
  stat: (path) => show(fs.statSync(path)),
  lstat: (path) => show(fs.lstatSync(path)),
  "list a folder": (path) => fs.readdirSync(path).toSorted(),
  access: (path) => fs.accessSync(path, fs.constants.R_OK | fs.constants.W_OK),
};

/** Sizes of folders are the file system's own affair, and so are the lengths of union's link counts. */
function show(stat: fs.Stats): unknown {
  return [
    stat.mode.toString(8),
    stat.uid,
    stat.gid,
    stat.isDirectory() ? "" : `${stat.size} bytes, ${stat.nlink} names`,
  ];
}

export function callTrials(calls: Readonly<Record<string, Call>>, targets: readonly Target[]): Trial[] {
  return Object.entries(calls).flatMap(([title, call]) =>
    targets.map((target) => ({
      title: `${title}: ${target.title}`,
      image: target.image,
      prepare: (root) => target.prepare?.(createTreeWriter(root)),
      act: (root) => JSON.stringify(call(`${root}/${target.name}`)) ?? "done",
    })),
  );
}

type PairCall = (from: string, to: string) => void;

export const pairCalls: Readonly<Record<"rename" | "link" | "renameWithoutReplacing" | "exchange", PairCall>> = {
  rename: fs.renameSync,
  link: fs.linkSync,
  renameWithoutReplacing: (from, to) => renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE),
  exchange: (from, to) => renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE),
};

/** Each target onto each other, in two folders. */
export function pairTrials(title: keyof typeof pairCalls, targets: readonly Target[]): Trial[] {
  return targets.flatMap((from) =>
    targets.map((to) => {
      const isMoved =
        title !== "link" && (from.isImageFolder === true || (title === "exchange" && to.isImageFolder === true));
      return {
        title: `${title}: ${from.title}, to: ${to.title}`,
        image: (at) => [from, to].flatMap(({ image }, n) => [folder(`${at}/${n}`), ...image(`${at}/${n}`)]),
        prepare(root) {
          for (const [n, { prepare }] of [from, to].entries()) prepare?.(createTreeWriter(`${root}/${n}`));
        },
        difference: isMoved ? folderStaysInImage : undefined,
        act(root) {
          pairCalls[title](`${root}/0/${from.name}`, `${root}/1/${to.name}`);
          return "done";
        },
      };
    }),
  );
}

import * as fs from "node:fs";
import { isSystemError } from "../../errors/index.ts";
import { AT_FDCWD, fremovexattr, lsetxattr, mknodat, S_IFBLK, S_IFCHR, S_IFIFO } from "../../syscall/index.ts";

/**
 * What a process in a container does to its files. The same steps on two folders give the same tree: every time is set,
 * and the n-th step on one folder sets the same as the n-th on the other. Names are relative; everything blocks.
 */
export interface TreeWriter {
  write(name: string, content: string | Uint8Array, mode?: number): void;
  makeFolder(name: string, mode?: number): void;
  /** With everything below it. */
  remove(name: string): void;
  /** Moves as mv(1) does: what cannot be renamed (a folder of a lower overlay layer) is moved piece by piece. */
  rename(from: string, to: string): void;
  chmod(name: string, mode: number): void;
  chown(name: string, uid: number, gid: number): void;
  touch(name: string): void;
  link(existing: string, name: string): void;
  symlink(target: string, name: string): void;
  makeFifo(name: string): void;
  makeDevice(name: string, kind: "character" | "block", numbers: readonly [major: number, minor: number]): void;
  /** What a file gets longer by is a hole. */
  truncate(name: string, sizeBytes: number): void;
  setAttribute(name: string, attribute: string, value: Uint8Array): void;
  removeAttribute(name: string, attribute: string): void;
}

const firstTimeSeconds = 1_600_000_000;

export function createTreeWriter(root: string): TreeWriter {
  let steps = 0;
  const at = (name: string): string => `${root}/${name}`;

  /** Seconds apart, because Docker's own drivers take times within a second for equal. */
  function stamp(path: string): void {
    steps += 1;
    const time = firstTimeSeconds + steps * 10 + 0.25;
    fs.lutimesSync(path, time, time);
  }

  return {
    write(name, content, mode = 0o644) {
      fs.writeFileSync(at(name), content, { mode });
      stamp(at(name));
    },
    makeFolder(name, mode = 0o755) {
      fs.mkdirSync(at(name));
      fs.chmodSync(at(name), mode);
    },
    remove: (name) => fs.rmSync(at(name), { recursive: true }),
    rename: (from, to) => move(at(from), at(to)),
    chmod: (name, mode) => fs.chmodSync(at(name), mode),
    chown: (name, uid, gid) => fs.lchownSync(at(name), uid, gid),
    touch: (name) => stamp(at(name)),
    link: (existing, name) => fs.linkSync(at(existing), at(name)),
    symlink(target, name) {
      fs.symlinkSync(target, at(name));
      stamp(at(name));
    },
    makeFifo(name) {
      mknodat(AT_FDCWD, at(name), S_IFIFO | 0o644);
      fs.chmodSync(at(name), 0o644);
      stamp(at(name));
    },
    makeDevice(name, kind, [major, minor]) {
      mknodat(AT_FDCWD, at(name), (kind === "block" ? S_IFBLK : S_IFCHR) | 0o600, major, minor);
      stamp(at(name));
    },
    truncate(name, sizeBytes) {
      fs.truncateSync(at(name), sizeBytes);
      stamp(at(name));
    },
    setAttribute: (name, attribute, value) => lsetxattr(at(name), attribute, value),
    removeAttribute(name, attribute) {
      const descriptor = fs.openSync(at(name), "r");
      try {
        fremovexattr(descriptor, attribute);
      } finally {
        fs.closeSync(descriptor);
      }
    },
  };
}

function move(from: string, to: string): void {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    if (!isSystemError(error, "EXDEV")) throw error;
    const { mode, uid, gid } = fs.lstatSync(from);
    fs.mkdirSync(to);
    for (const name of fs.readdirSync(from)) move(`${from}/${name}`, `${to}/${name}`);
    fs.chownSync(to, uid, gid);
    fs.chmodSync(to, mode & 0o7777);
    fs.rmdirSync(from);
  }
}

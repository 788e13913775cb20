import { constants } from "node:fs";
import { describe, expect, it } from "vitest";

import { errnos } from "./libc.ts";
import * as flags from "./flags.ts";
import { type Headers, headersObstacle, readHeaders } from "./kernel-headers.test.support.ts";

/**
 * Of each header what is asked of it. Those of `fcntl.h` that Node knows are its to know, and differ between machines.
 */
const flagHeaders: Readonly<Record<string, RegExp>> = {
  "linux/fcntl.h": /^(O_CLOEXEC|O_PATH|O_TMPFILE|AT_)/,
  "linux/openat2.h": /^RESOLVE_/,
  "linux/stat.h": /^S_/,
  "linux/mount.h": /^(MOUNT_ATTR_|MS_)/,
  "linux/fs.h": /^(RENAME_|SEEK_)/,
  "linux/sched.h": /^CLONE_/,
};

/** What code reads and writes by offsets. */
const layouts: Readonly<Record<string, readonly string[]>> = {
  "linux/stat.h": [
    "sizeof(struct statx)",
    ...["nlink", "uid", "gid", "mode", "ino", "size", "blocks"].map((field) => `offset(statx, stx_${field})`),
    ...["mtime", "ctime", "btime", "rdev_major", "rdev_minor", "dev_major", "dev_minor", "mnt_id"].map(
      (field) => `offset(statx, stx_${field})`,
    ),
    "sizeof(struct statx_timestamp)",
    "STATX_BASIC_STATS",
  ],
  "linux/openat2.h": ["sizeof(struct open_how)", "offset(open_how, mode)", "offset(open_how, resolve)"],
  "linux/mount.h": ["sizeof(struct mount_attr)", "offset(mount_attr, userns_fd)", "MOVE_MOUNT_F_EMPTY_PATH"],
  "asm/statfs.h": ["sizeof(struct statfs)", "offset(statfs, f_type)"],
  "linux/fs.h": [
    "sizeof(struct file_dedupe_range)",
    "sizeof(struct file_dedupe_range_info)",
    ...["src_offset", "src_length", "dest_count", "info"].map((field) => `offset(file_dedupe_range, ${field})`),
    ...["dest_fd", "dest_offset", "bytes_deduped", "status"].map((field) => `offset(file_dedupe_range_info, ${field})`),
    "FICLONE",
    "FIDEDUPERANGE",
  ],
  "asm/socket.h": ["SOL_SOCKET", "SO_PEERCRED"],
  "asm/ioctls.h": ["FIONREAD"],
  "linux/mman.h": ["PROT_READ", "PROT_WRITE", "MAP_SHARED"],
  "linux/fcntl.h": ["F_SETPIPE_SZ", "F_GETPIPE_SZ"],
};

/** Where ours is another than the header's. */
const headerNames: Readonly<Record<string, string>> = { MOUNT_ATTR_ATIME: "MOUNT_ATTR__ATIME" };

const ask = (of: Headers, header: string, names: readonly string[]): Record<string, number> => {
  const values = readHeaders(
    of,
    [header],
    names.map((name) => headerNames[name] ?? name),
  );
  return Object.fromEntries(names.map((name, at) => [name, values[at] as number]));
};

for (const of of ["own", "arm64"] as const) {
  describe(`by the headers of ${of}`, () => {
    for (const [header, pattern] of Object.entries(flagHeaders)) {
      it(`the flags of ${header} are the kernel's`, ({ skip }) => {
        const obstacle = headersObstacle(of);
        if (obstacle !== undefined) return skip(obstacle);
        const ours: Record<string, number> = Object.fromEntries(
          Object.entries(flags).filter(([name]) => pattern.test(name)),
        );
        expect(Object.keys(ours)).not.toEqual([]);
        if (ours["O_TMPFILE"] !== undefined) {
          const { O_DIRECTORY } = ask(of, header, ["O_DIRECTORY"]);
          ours["O_TMPFILE"] = (ours["O_TMPFILE"] & ~constants.O_DIRECTORY) | (O_DIRECTORY as number);
        }
        for (const name of Object.keys(ours)) ours[name] = Number(BigInt.asUintN(64, BigInt(ours[name] as number)));
        expect(ours).toEqual(ask(of, header, Object.keys(ours)));
      });
    }

    it("errnos are the kernel's", ({ skip }) => {
      const obstacle = headersObstacle(of);
      if (obstacle !== undefined) return skip(obstacle);
      expect(errnos).toEqual(ask(of, "linux/errno.h", Object.keys(errnos)));
    });
  });
}

for (const [header, names] of Object.entries(layouts)) {
  it(`${header} says of arm64 what it says of this machine`, ({ skip }) => {
    const obstacle = headersObstacle("own") ?? headersObstacle("arm64");
    if (obstacle !== undefined) return skip(obstacle);
    expect(ask("arm64", header, names)).toEqual(ask("own", header, names));
  });
}

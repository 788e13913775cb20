import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import * as calls from "./index.ts";

let scratch: string;
let folder: number;
beforeEach(() => {
  scratch = fs.mkdtempSync(join(tmpdir(), "cleat-syscall-"));
  folder = calls.openPath(scratch, calls.O_RDONLY | calls.O_DIRECTORY);
});
afterEach(() => {
  calls.close(folder);
  fs.rmSync(scratch, { recursive: true, force: true });
});

const missing = Buffer.from("missing");

function failureOf(act: () => unknown): NodeJS.ErrnoException | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

describe("a failure", () => {
  it.each([
    ["openat", () => calls.openat(folder, "missing", 0), () => fs.openSync(join(scratch, "missing"), 0)],
    ["openat", () => calls.openat(folder, "", 0), () => fs.openSync("", 0)],
    ["unlinkat", () => calls.unlinkat(folder, missing), () => fs.unlinkSync(join(scratch, "missing"))],
    ["unlinkat", () => calls.unlinkat(folder, "."), () => fs.unlinkSync(scratch)],
    ["rmdirat", () => calls.rmdirat(folder, "missing"), () => fs.rmdirSync(join(scratch, "missing"))],
    ["mkdirat", () => calls.mkdirat(folder, "a/b", 0o755), () => fs.mkdirSync(join(scratch, "a/b"))],
    ["readlinkat", () => calls.readlinkat(folder, "."), () => fs.readlinkSync(scratch)],
    ["statx", () => calls.statat(folder, missing), () => fs.lstatSync(join(scratch, "missing"))],
    ["openat", () => calls.openat(folder, "n".repeat(256), 0), () => fs.openSync(join(scratch, "n".repeat(256)), 0)],
    ["fchmod", () => calls.fchmod(-1, 0), () => fs.fsyncSync(2 ** 30)],
    ["fsync", () => calls.fsync(-1), () => fs.fsyncSync(2 ** 30)],
    ["close", () => calls.close(-1), () => fs.closeSync(2 ** 30)],
  ])("of %s has the errno, code and text that node:fs gives it", (syscall, ours, nodes) => {
    const expected = failureOf(nodes);
    const failure = failureOf(ours);
    expect(failure).toMatchObject({ name: "SystemError", syscall, errno: expected?.errno, code: expected?.code });
    expect(failure?.message.split(",")[0]).toBe(expected?.message.split(",")[0]);
  });

  it("is found before the kernel is asked where a name holds a NUL or is too long", () => {
    expect(failureOf(() => calls.mkdirat(folder, "a\0b", 0o755))?.code).toBe("EINVAL");
    expect(failureOf(() => calls.mkdirat(folder, Buffer.from("a\0"), 0o755))?.code).toBe("EINVAL");
    expect(failureOf(() => calls.symlinkat("x".repeat(4096), folder, "l"))?.code).toBe("ENAMETOOLONG");
    expect(fs.readdirSync(scratch)).toEqual([]);
  });

  it("does not outlive itself: what is left of a longer name is not part of a shorter one", () => {
    calls.mkdirat(folder, "a-long-name", 0o755);
    calls.mkdirat(folder, "short", 0o755);
    expect(calls.readNames(folder).map(String)).toEqual(["a-long-name", "short"]);
  });
});

describe("a file's status", () => {
  it("is what node:fs says", () => {
    const path = join(scratch, "file");
    fs.writeFileSync(path, "content", { mode: 0o640 });
    calls.utimensat(folder, "file", -2, 500_000_000);
    const nodes = fs.lstatSync(path, { bigint: true });
    expect(nodes.mtimeNs).toBe(-1_500_000_000n);
    const ours = calls.statat(folder, "file");
    expect(ours).toMatchObject({
      mode: Number(nodes.mode),
      uid: Number(nodes.uid),
      gid: Number(nodes.gid),
      links: 1,
      inode: nodes.ino,
      sizeBytes: 7,
      mtimeSeconds: -2,
      mtimeNanoseconds: 500_000_000,
      deviceMajor: 0,
      deviceMinor: 0,
    });
    expect(ours.fileSystem).toBe(calls.fstat(folder).fileSystem);
  });

  it("of a device names what it stands for", () => {
    const dev = calls.openPath("/dev", calls.O_RDONLY);
    expect(calls.statat(dev, "null")).toMatchObject({ deviceMajor: 1, deviceMinor: 3 });
    calls.close(dev);
  });

  it("keeps sizes beyond 32 bits and times beyond 2106", () => {
    const descriptor = calls.openat(folder, "big", calls.O_RDWR | calls.O_CREAT, 0o600);
    fs.ftruncateSync(descriptor, 5 * 2 ** 32 + 1);
    calls.futimens(descriptor, 5_000_000_000, 123_456_789);
    expect(calls.fstat(descriptor)).toMatchObject({
      sizeBytes: 5 * 2 ** 32 + 1,
      mtimeSeconds: 5_000_000_000,
      mtimeNanoseconds: 123_456_789,
    });
    expect(calls.lseek(descriptor, 5 * 2 ** 32, calls.SEEK_SET)).toBe(5 * 2 ** 32);
    calls.close(descriptor);
  });

  it("is undefined of what is not there", () => {
    fs.writeFileSync(join(scratch, "file"), "");
    expect([calls.statIfThere(folder, "missing"), calls.statIfThere(folder, "file/x")]).toEqual([undefined, undefined]);
    expect(failureOf(() => calls.statIfThere(-1, "x"))?.code).toBe("EBADF");
  });
});

describe("names", () => {
  it("are read as bytes and sorted by them, in any number", () => {
    const names = ["\xff", "caf\xe9", "a", "a.b", "a0", "\xc3\xa9", ...Array.from({ length: 2000 }, (_, n) => `n${n}`)];
    for (const name of names) calls.mkdirat(folder, Buffer.from(name, "latin1"), 0o755);
    expect(calls.readNames(folder).map((name) => name.toString("latin1"))).toEqual(names.toSorted());
  });

  it("come with what their folder says of them, in the same order", () => {
    for (const name of ["\xff", "a", "a.b", "a0"]) {
      fs.writeFileSync(Buffer.from(join(scratch, name), "latin1"), "");
    }
    fs.mkdirSync(join(scratch, "b"));
    fs.symlinkSync("a", join(scratch, "c"));
    const entries = calls.readEntries(folder);
    let again = calls.openPath(scratch, calls.O_RDONLY | calls.O_DIRECTORY);
    expect(entries.map(({ name }) => name)).toEqual(calls.readNames(again));
    fs.closeSync(again);
    again = calls.openPath(scratch, calls.O_RDONLY | calls.O_DIRECTORY);
    const tells = calls.recordsEntryTypes(again);
    expect(entries.map(({ text, isRegular }) => [text, isRegular])).toEqual([
      ["a", tells],
      ["a.b", tells],
      ["a0", tells],
      ["b", false],
      ["c", false],
      ["\xff", tells],
    ]);
    calls.close(again);
  });

  it("are linked, renamed and removed", () => {
    fs.writeFileSync(join(scratch, "a"), "");
    calls.linkat(folder, "a", folder, "b");
    calls.renameat2(folder, "b", folder, "c");
    expect(failureOf(() => calls.renameat2(folder, "c", folder, "a", calls.RENAME_NOREPLACE))?.code).toBe("EEXIST");
    expect(calls.tryUnlinkat(folder, "a")).toBe(true);
    expect([calls.tryUnlinkat(folder, "a"), calls.lastErrno()]).toEqual([false, calls.errnos.ENOENT]);
    expect(fs.readdirSync(scratch)).toEqual(["c"]);
  });

  it("point to targets of any bytes, up to the kernel's limit", () => {
    const target = Buffer.concat([Buffer.from([0xff, 0x0a]), Buffer.alloc(4093, "t")]);
    calls.symlinkat(target, folder, "link");
    expect(calls.readlinkat(folder, "link")).toEqual(target);
  });
});

describe("modes and times", () => {
  it.each([0, -1, -(2 ** 31), 2 ** 31, 2 ** 32, 4_294_967_295, -5_000_000_000])("keep the second %d", (seconds) => {
    calls.mkdirat(folder, "d", 0o755);
    calls.utimensat(folder, "d", seconds, 999_999_999);
    const { mtimeSeconds, mtimeNanoseconds } = calls.statat(folder, "d");
    // Some file systems keep the nearest time that they know.
    const kept = BigInt(mtimeSeconds) * 1_000_000_000n + BigInt(mtimeNanoseconds);
    expect(kept).toBe(fs.lstatSync(join(scratch, "d"), { bigint: true }).mtimeNs);
    if (Math.abs(seconds) <= 2 ** 31 - 1) expect(mtimeSeconds).toBe(seconds);
  });

  it("are set on an open file, and by name never through a symlink", () => {
    fs.writeFileSync(join(scratch, "file"), "");
    fs.symlinkSync("file", join(scratch, "link"));
    const before = calls.statat(folder, "file");
    calls.utimensat(folder, "link", 7, 8);
    calls.chownat(folder, "link", before.uid, before.gid);
    expect(calls.statat(folder, "link")).toMatchObject({ mtimeSeconds: 7, mtimeNanoseconds: 8 });
    expect(calls.statat(folder, "file")).toEqual(before);
    expect(failureOf(() => calls.chmodNode(folder, "link", 0o777))?.code).toBe("ENOTSUP");
    calls.mknodat(folder, "fifo", calls.S_IFIFO | 0o600);
    calls.chmodNode(folder, "fifo", 0o4750);
    expect(calls.statat(folder, "fifo").mode).toBe(calls.S_IFIFO | 0o4750);
  });

  it.each([
    [0, 0, 0],
    [1, 3, 0x103],
    [4095, 0xfffff, 0xffffffff],
    [8, 0x12345, 0x12300845],
  ])("a device %i:%i is %i to the kernel", (major, minor, encoded) => {
    expect(calls.encodeDevice(major, minor)).toBe(encoded);
  });
});

describe("a path below a root", () => {
  it("does not leave it", () => {
    fs.mkdirSync(join(scratch, "root/etc"), { recursive: true });
    fs.symlinkSync("/etc", join(scratch, "root/absolute"));
    fs.symlinkSync("../../../../etc", join(scratch, "root/upward"));
    const root = calls.openat(folder, "root", calls.O_RDONLY | calls.O_DIRECTORY);
    const { inode } = calls.statat(folder, "root/etc");
    for (const name of ["absolute", "upward", "/etc", "../etc"]) {
      const opened = calls.openat2(root, name, calls.O_PATH, calls.RESOLVE_IN_ROOT);
      expect(calls.fstat(opened).inode).toBe(inode);
      calls.close(opened);
    }
    calls.close(root);
  });
});

describe("holes", () => {
  it("are found between data", ({ skip }) => {
    const descriptor = calls.openat(folder, "sparse", calls.O_RDWR | calls.O_CREAT, 0o600);
    fs.writeSync(descriptor, "data", 2 ** 20);
    fs.ftruncateSync(descriptor, 2 ** 22);
    const start = calls.nextData(descriptor, 0);
    const end = calls.nextHole(descriptor, start);
    const behind = calls.nextData(descriptor, end);
    calls.close(descriptor);
    if (start === 0) skip("the file system does not tell holes from data");
    expect([start, end <= 2 ** 20 + 2 ** 17, behind]).toEqual([2 ** 20, true, Number.POSITIVE_INFINITY]);
  });
});

it("a lock is one descriptor's at a time", () => {
  const [first, second] = [1, 2].map(() => calls.openat(folder, "lock", calls.O_RDWR | calls.O_CREAT, 0o600)) as [
    number,
    number,
  ];
  expect([calls.lockFile(first), calls.lockFile(second)]).toEqual([true, false]);
  calls.close(first);
  expect(calls.lockFile(second)).toBe(true);
  calls.close(second);
});

describe("a mapping", () => {
  it("shows what is in the file, and what is written to it is there", () => {
    const path = join(scratch, "mapped");
    fs.writeFileSync(path, "hello");
    const descriptor = fs.openSync(path, "r+");
    const seen = calls.withMapping(descriptor, 5, "read-write", (bytes) => {
      const before = Buffer.from(bytes).toString();
      bytes[0] = "j".charCodeAt(0);
      return before;
    });
    expect([seen, fs.readFileSync(path, "latin1")]).toEqual(["hello", "jello"]);
    fs.closeSync(descriptor);
  });

  it("of what was opened for reading cannot be written", () => {
    fs.writeFileSync(join(scratch, "mapped"), "hello");
    const descriptor = fs.openSync(join(scratch, "mapped"), "r");
    expect(failureOf(() => calls.withMapping(descriptor, 5, "read-write", () => {}))?.code).toBe("EACCES");
    expect(calls.withMapping(descriptor, 5, "read", (bytes) => Buffer.from(bytes).toString())).toBe("hello");
    fs.closeSync(descriptor);
  });
});

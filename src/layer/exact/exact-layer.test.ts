import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { close, O_CREAT, O_DIRECTORY, O_RDONLY, O_RDWR, openPath } from "../../syscall/index.ts";
import { applyLayerExactly, assembleLayer } from "./exact-layer.ts";
import { openLayerFile } from "../tree/layer-files.ts";
import { archiveOf, deleting, type Entry, failureOf, useScratch } from "../tree/trees.test.support.ts";
import { withFolderAt } from "../tree/with-folder.ts";

const scratch = useScratch();
const directory = (name: string): Entry => ({ type: "directory", name });
const file = (name: string | Buffer, content = String(name)): Entry => ({ name, content });
const symlink = (name: string, linkName: string): Entry => ({ type: "symlink", name, linkName });

/** The folder `root` and the file `data`, open, for as long as `use` runs. */
async function withLayer<T>(use: (root: number, data: number) => Promise<T>): Promise<T> {
  const root = openPath(scratch.folder("root"), O_RDONLY | O_DIRECTORY);
  const data = openPath(scratch.path("data"), O_RDWR | O_CREAT, 0o600);
  const umask = process.umask(0);
  try {
    return await use(root, data);
  } finally {
    process.umask(umask);
    close(data);
    close(root);
  }
}

function applyExactly(bytes: Buffer): Promise<{ sizeBytes: number; archiveBytes: number }> {
  let at = 0;
  const read = (): Buffer | undefined => (at < bytes.length ? bytes.subarray(at, (at += 5000)) : undefined);
  const options = { whiteouts: deleting, ids: { uids: [], gids: [] }, syncFiles: false };
  return withLayer((root, data) => applyLayerExactly({ read }, root, data, options));
}

/** What comes back of the layer in `root`. */
async function assemble(archiveBytes?: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  const write = (bytes: Uint8Array): void => void parts.push(Buffer.from(bytes));
  await withLayer((root, data) => assembleLayer(root, data, { write }, archiveBytes));
  return Buffer.concat(parts);
}

async function comesBack(archive: Buffer): Promise<void> {
  const { archiveBytes } = await applyExactly(archive);
  expect((await assemble(archiveBytes)).equals(archive)).toBe(true);
}

const refused = (what: Promise<unknown>): Promise<string> =>
  what.then(
    () => "no failure",
    ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
  );

describe("a layer's archive", () => {
  it("comes back byte for byte", async () => {
    const bytes = archiveOf(
      directory("d"),
      file("d/f", "x".repeat(100_000)),
      { type: "hardlink", name: "h", linkName: "d/f" },
      symlink("l", "d"),
      file("l/through", "a symlink"),
      file(Buffer.from("caf\xe9", "latin1")),
      file("./empty", ""),
      file("implied/parents/f"),
      { ...file("late", "mode"), mode: 0o4711, mtimeNanoseconds: 5 },
    );
    await comesBack(Buffer.concat([bytes, Buffer.alloc(9000, "trailing garbage")]));
  });

  it("comes back with whiteouts, which the tree does not hold, whatever is in them", async () => {
    fs.writeFileSync(`${scratch.folder("root")}/gone`, "of the layer below");
    const bytes = archiveOf(
      file(".wh.gone", "content that nobody reads"),
      directory(".wh..wh.plnk"),
      file(".wh..wh.plnk/1.2", "aufs"),
      { type: "hardlink", name: "linked", linkName: ".wh..wh.plnk/1.2" },
      file("d/.wh..wh..opq", "and more"),
      file("d/f"),
    );
    await comesBack(bytes);
    expect(fs.readdirSync(scratch.path("root"))).toEqual(["d", "linked"]);
  });

  it("comes back where files take the place of what the layer below has", async () => {
    fs.writeFileSync(`${scratch.folder("root")}/f`, "of the layer below");
    await comesBack(archiveOf(file("f", "of this one"), file("g")));
  });

  it("comes back where a whiteout names a file of its own through a symlink", async () => {
    await comesBack(archiveOf(directory("a"), symlink("b", "a"), file("a/f", "one"), file("b/.wh.f", "")));
  });

  it("is refused where it could not come back", async () => {
    const twice = archiveOf(file("f", "1"), file("./f", "2"));
    expect(await refused(applyExactly(twice))).toBe(
      'INVALID_ARGUMENT: entry "./f": duplicates of file paths not supported',
    );
    for (const entries of [
      [directory("a"), symlink("b", "a"), file("a/f", "one"), file("b/f", "two")],
      [file("implied/f", "lost"), symlink("implied", "elsewhere")],
    ]) {
      fs.rmSync(scratch.path("root"), { recursive: true, force: true });
      fs.rmSync(scratch.path("data"), { force: true });
      expect(await refused(applyExactly(archiveOf(...entries)))).toMatch(
        /^INVALID_ARGUMENT: archive could not be given back: one entry takes away another's content: file "/,
      );
    }
  });

  it("is an error, never other bytes, once the layer is not what it was", async () => {
    const bytes = archiveOf(file("a", "content"), file("b", "more"));
    const { archiveBytes } = await applyExactly(bytes);
    const data = fs.readFileSync(scratch.path("data"));

    fs.writeFileSync(scratch.path("data"), data.subarray(0, -10));
    expect(await refused(assemble(archiveBytes))).toContain("DATA_LOSS: tar-split data are damaged: ");
    fs.writeFileSync(scratch.path("data"), "no gzip");
    expect(await refused(assemble(archiveBytes))).toContain("DATA_LOSS: tar-split data are damaged: ");
    fs.writeFileSync(scratch.path("data"), gzipSync(""));
    expect(await refused(assemble(archiveBytes))).toBe(
      `DATA_LOSS: tar-split data are not whole: they make 0 of the archive's ${archiveBytes} bytes`,
    );
    fs.writeFileSync(scratch.path("data"), data);

    fs.writeFileSync(scratch.path("root", "b"), "MORE");
    expect(await refused(assemble(archiveBytes))).toContain('DATA_LOSS: file "b" has the CRC-64 ');
    fs.rmSync(scratch.path("root", "b"));
    expect(await refused(assemble(archiveBytes))).toBe(
      'DATA_LOSS: file "b" cannot be had again: file "b" does not exist',
    );
    fs.symlinkSync("a", scratch.path("root", "b"));
    expect(await refused(assemble(archiveBytes))).toContain('DATA_LOSS: file "b" cannot be had again: ');
  });

  it("comes back for any files, or is refused", async () => {
    const names = fc.constantFrom("a", "b", "d/a", "d/b", "l/a", "l/b", ".wh.a", "d/.wh.a", "l/.wh.b", "d", "l");
    const entry = fc.oneof(
      fc.record({ name: names, content: fc.string({ maxLength: 3 }) }),
      fc.constantFrom(symlink("l", "d"), symlink("d", "l"), directory("d"), directory("l")),
    );
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(entry, { selector: ({ name }) => name, maxLength: 8 }), async (entries) => {
        fs.rmSync(scratch.path("root"), { recursive: true, force: true });
        fs.rmSync(scratch.path("data"), { force: true });
        const archive = archiveOf(...entries);
        const outcome = await refused(applyExactly(archive));
        if (outcome === "no failure") expect((await assemble()).equals(archive)).toBe(true);
        else expect(outcome).toMatch(/^(?:INVALID_ARGUMENT|FAILED_PRECONDITION|NOT_FOUND): /);
      }),
    );
  });
});

describe("a file of a layer", () => {
  const open = (name: string): (() => string) => {
    return () =>
      withFolderAt(scratch.path("root"), (root) => {
        const descriptor = openLayerFile(root, Buffer.from(name, "latin1"));
        try {
          return fs.readFileSync(descriptor, "utf8");
        } finally {
          close(descriptor);
        }
      });
  };

  it("is opened by the name that the archive gave it", () => {
    const root = scratch.folder("root");
    fs.mkdirSync(`${root}/d`);
    fs.writeFileSync(Buffer.from(`${root}/d/\xe9`, "latin1"), "found");
    fs.symlinkSync("d", `${root}/l`);
    for (const name of ["d/\xe9", "./d//\xe9", "/d/\xe9", "d/x/../\xe9", "l/\xe9"]) expect(open(name)()).toBe("found");
  });

  it("is never one outside of it, nor what is not a file", () => {
    const root = scratch.folder("root");
    fs.writeFileSync(scratch.path("secret"), "secret");
    fs.mkdirSync(`${root}/folder`);
    fs.symlinkSync(scratch.path("secret"), `${root}/absolute`);
    fs.symlinkSync("../secret", `${root}/relative`);
    fs.symlinkSync(scratch.path(), `${root}/out`);
    fs.symlinkSync("..", `${root}/up`);
    fs.symlinkSync("circle", `${root}/circle`);
    fs.symlinkSync("/proc/self/fd", `${root}/proc`);
    execFileSync("mkfifo", [`${root}/pipe`]);
    const names = ["absolute", "relative", "out/secret", "up/secret", "circle", "circle/f", "proc/0", "pipe", "folder"];
    for (const name of [...names, "missing", "folder/f", ".", "/", "n".repeat(300)]) {
      expect(failureOf(open(name)), name).toMatchObject({ code: "NOT_FOUND" });
    }
    for (const name of ["../secret", "folder/../../secret", "", "a\0b", "n/".repeat(3000)]) {
      expect(failureOf(open(name)), name).toMatchObject({ code: "INVALID_ARGUMENT" });
    }
  });
});

import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { statat } from "../../syscall/index.ts";
import { tarEndBlocks } from "../../tar/index.ts";
import { createArchiveWriter } from "./archive-writer.ts";
import { createIdMaps } from "../entry/id-map.ts";
import { noUserNames } from "./user-names.ts";
import { withFolderAt } from "../tree/with-folder.ts";

describe("an archive of a running container", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cleat-archive-"));
    writeFileSync(join(folder, "file"), "content");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** What the archive holds when a file that was listed is another thing by the time that it is opened. */
  function archiveAfter(swap: (path: string) => void): Buffer {
    const parts: Buffer[] = [];
    const options = {
      ids: createIdMaps({ uids: [], gids: [] }),
      names: noUserNames,
      typeBits: false,
      overlayWhiteouts: true,
    };
    const writer = createArchiveWriter({ write: (bytes) => void parts.push(Buffer.from(bytes)) }, options);
    withFolderAt(folder, (descriptor) => {
      const base = Buffer.from("file");
      const status = statat(descriptor, base);
      rmSync(join(folder, "file"));
      swap(join(folder, "file"));
      writer.addFile(descriptor, base, "file", status);
    });
    writer.finish();
    return Buffer.concat(parts);
  }

  it.each<readonly [string, (path: string) => void]>([
    ["gone", () => {}],
    ["a FIFO", (path) => execFileSync("mkfifo", [path])],
    ["a folder", (path) => mkdirSync(path)],
    ["a symlink", (path) => symlinkSync("/etc/passwd", path)],
  ])("has nothing of a file that is %s since it was listed", (_, swap) => {
    expect(archiveAfter(swap)).toEqual(Buffer.from(tarEndBlocks));
  });

  it("has all of another file that has taken the name since it was listed", () => {
    const swap = (path: string): void => {
      writeFileSync(path, "other content, and longer");
      chmodSync(path, 0o751);
      utimesSync(path, 7, 7);
    };
    const archive = archiveAfter(swap);
    expect(archive).toEqual(addListed("file").archive);
  });

  it("takes no name of a file for another that has taken its first one since it was listed", () => {
    const parts: Buffer[] = [];
    const ids = createIdMaps({ uids: [], gids: [] });
    const options = { ids, names: noUserNames, typeBits: false, overlayWhiteouts: true };
    const writer = createArchiveWriter({ write: (bytes) => void parts.push(Buffer.from(bytes)) }, options);
    linkSync(join(folder, "file"), join(folder, "linked"));
    withFolderAt(folder, (opened) => {
      const [file, linked] = ["file", "linked"].map((name) => statat(opened, Buffer.from(name)));
      rmSync(join(folder, "file"));
      writeFileSync(join(folder, "file"), "another");
      if (file) writer.addFile(opened, Buffer.from("file"), "file", file);
      if (linked) writer.addFile(opened, Buffer.from("linked"), "linked", linked);
    });
    writer.finish();
    expect(Buffer.concat(parts).toString("latin1")).toContain("content");
  });

  /** Whether a name that was listed as a regular file is taken for one, and what the archive holds then. */
  function addListed(path: string): { readonly isAdded: boolean; readonly archive: Buffer } {
    const parts: Buffer[] = [];
    const ids = createIdMaps({ uids: [], gids: [] });
    const options = { ids, names: noUserNames, typeBits: false, overlayWhiteouts: true };
    const writer = createArchiveWriter({ write: (bytes) => void parts.push(Buffer.from(bytes)) }, options);
    const isAdded = withFolderAt(folder, (opened) => writer.addListedFile(opened, Buffer.from(path), path));
    writer.finish();
    return { isAdded, archive: Buffer.concat(parts) };
  }

  it.each<readonly [string, (path: string) => void]>([
    ["gone", () => {}],
    ["a FIFO", (path) => execFileSync("mkfifo", [path])],
    ["a folder", (path) => mkdirSync(path)],
    ["a symlink", (path) => symlinkSync("/etc/passwd", path)],
  ])("takes no name for a file that is %s since it was listed", (_, swap) => {
    rmSync(join(folder, "file"));
    swap(join(folder, "file"));
    expect(addListed("file")).toEqual({ isAdded: false, archive: Buffer.from(tarEndBlocks) });
  });

  it("has of a listed file what it has of one that was looked at before", () => {
    const parts: Buffer[] = [];
    const ids = createIdMaps({ uids: [], gids: [] });
    const options = { ids, names: noUserNames, typeBits: false, overlayWhiteouts: true };
    linkSync(join(folder, "file"), join(folder, "another"));
    const writer = createArchiveWriter({ write: (bytes) => void parts.push(Buffer.from(bytes)) }, options);
    withFolderAt(folder, (opened) => {
      for (const name of ["another", "file"]) {
        writer.addFile(opened, Buffer.from(name), name, statat(opened, Buffer.from(name)));
      }
    });
    writer.finish();
    const listed: Buffer[] = [];
    const second = createArchiveWriter({ write: (bytes) => void listed.push(Buffer.from(bytes)) }, options);
    withFolderAt(folder, (opened) => {
      for (const name of ["another", "file"]) {
        expect(second.addListedFile(opened, Buffer.from(name), name)).toBe(true);
      }
    });
    second.finish();
    expect(Buffer.concat(listed)).toEqual(Buffer.concat(parts));
    expect(Buffer.concat(listed).toString("latin1")).toContain("content");
  });

  it.skipIf(process.geteuid?.() !== 0)("never has what a device holds, which only the host may read", () => {
    expect(archiveAfter((path) => execFileSync("mknod", [path, "c", "1", "5"]))).toEqual(Buffer.from(tarEndBlocks));
  });
});

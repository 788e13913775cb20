import { execFileSync } from "node:child_process";
import { lstat, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeArchive } from "../volumes/backup.ts";
import { writeWhole } from "./write-whole.ts";

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "cleat-whole-"))));
afterEach(() => rm(folder, { recursive: true }));

const kinds = {
  "what a command prints": (path: string) => writeWhole(path, "new"),
  "a backup": (path: string) => writeArchive(path, (file) => writeFile(file, "new")),
};

describe.each(Object.entries(kinds))("%s", (_, write) => {
  it("goes through symlinks, also one to what is not there yet", async () => {
    await symlink("old", join(folder, "link"));
    await symlink("link", join(folder, "other link"));
    await symlink("not yet", join(folder, "ahead"));
    await writeFile(join(folder, "old"), "old");
    for (const [link, target] of [
      ["other link", "old"],
      ["ahead", "not yet"],
    ] as const) {
      await write(join(folder, link));
      expect((await lstat(join(folder, link))).isSymbolicLink()).toBe(true);
      expect(await readFile(join(folder, target), "utf8")).toBe("new");
    }
    expect((await readdir(folder)).toSorted()).toEqual(["ahead", "link", "not yet", "old", "other link"]);
    await symlink("circle", join(folder, "circle"));
    await expect(write(join(folder, "circle"))).rejects.toThrow(/circle/);
  });

  it("goes into a pipe, and into a device, which stay what they are", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const [read] = await Promise.all([readFile(pipe, "utf8"), write(pipe)]);
    expect(read).toBe("new");
    expect((await lstat(pipe)).isFIFO()).toBe(true);
    await symlink("/dev/null", join(folder, "null"));
    await write(join(folder, "null"));
    expect((await lstat(join(folder, "null"))).isSymbolicLink()).toBe(true);
    expect((await lstat("/dev/null")).isCharacterDevice()).toBe(true);
  });
});

it("a backup that fails leaves what was there, and is for its owner alone", async () => {
  await writeFile(join(folder, "data.tar"), "old");
  const failing = writeArchive(join(folder, "data.tar"), async (file) => {
    await writeFile(file, "half");
    throw new Error("the volume is gone");
  });
  await expect(failing).rejects.toThrow("the volume is gone");
  expect(await readFile(join(folder, "data.tar"), "utf8")).toBe("old");
  await writeArchive(join(folder, "data.tar"), (file) => writeFile(file, "new"));
  expect((await lstat(join(folder, "data.tar"))).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(["data.tar"]);
});

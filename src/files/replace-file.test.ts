import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

import { replaceFile } from "./replace-file.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const write = (text: string) => (file: { writeFile(text: string): Promise<void> }) => file.writeFile(text);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cleat-"));
  writeFileSync(at("file"), "old");
});
afterEach(() => rmSync(folder, { recursive: true }));

it("puts a new file there, of the mode that was asked for, and leaves nothing beside it", async () => {
  await replaceFile(at("file"), write("new"), { mode: 0o600 });
  await replaceFile(at("other"), write("more"), { durable: false });
  expect(readFileSync(at("file"), "utf8")).toBe("new");
  expect(statSync(at("file")).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["file", "other"]);
});

it("replaces a symlink, and what it leads to stays", async () => {
  symlinkSync("file", at("link"));
  await replaceFile(at("link"), write("new"));
  expect([readFileSync(at("link"), "utf8"), readFileSync(at("file"), "utf8")]).toEqual(["new", "old"]);
});

it.each([
  ["filling", (): Promise<never> => Promise.reject(new Error("no")), undefined],
  ["checking", write("new"), () => Promise.reject(new Error("no"))],
])("leaves all as it was after an error in %s", async (_, fill, check) => {
  await expect(replaceFile(at("file"), fill, check && { check })).rejects.toThrow("no");
  expect(readdirSync(folder)).toEqual(["file"]);
  expect(readFileSync(at("file"), "utf8")).toBe("old");
});

it("shows the whole new content to the check, beside the old", async () => {
  const seen: string[] = [];
  const check = async (path: string) => void seen.push(readFileSync(path, "utf8"), readFileSync(at("file"), "utf8"));
  await replaceFile(at("file"), write("new"), { check });
  expect(seen).toEqual(["new", "old"]);
});

it("says of a folder that takes no files what the kernel says", async () => {
  chmodSync(folder, 0o755);
  await expect(replaceFile(at("file/below"), write(""))).rejects.toMatchObject({ code: "ENOTDIR" });
});

it("names the file, and not what was to take its place, where it cannot be written", async () => {
  mkdirSync(at("folder"));
  for (const [name, message] of [
    ["gone/file", "ENOENT: no such file or directory, open"],
    ["folder", "EISDIR: illegal operation on a directory, rename"],
  ] as const)
    await expect(replaceFile(at(name), write(""))).rejects.toMatchObject({
      path: at(name),
      message: `${message} '${at(name)}'`,
    });
});

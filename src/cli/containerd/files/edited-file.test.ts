import { randomUUID } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keepCopy, readEditedFile, readLastCopy, replaceText } from "./edited-file.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cleat-"));
  path = join(folder, "config.toml");
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("a file that is replaced", () => {
  it("keeps its mode, and stays behind its link", async () => {
    writeFileSync(path, "old");
    chmodSync(path, 0o640);
    const link = join(folder, "link.toml");
    symlinkSync(path, link);
    await replaceText(await readEditedFile(link), "new");
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(statSync(path).mode & 0o7777).toBe(0o640);
    expect(readdirSync(folder)).toEqual(["config.toml", "link.toml"]);
  });

  it("is made with its folder where there is none", async () => {
    const inside = join(folder, "etc/containerd/config.toml");
    await replaceText(await readEditedFile(inside), "new");
    expect(readFileSync(inside, "utf8")).toBe("new");
  });

  it("stays, and nothing beside it, when what is new is refused", async () => {
    writeFileSync(path, "old");
    const check = async (staged: string) => {
      throw new Error(readFileSync(staged, "utf8"));
    };
    const refusing = replaceText(await readEditedFile(path), "new", { check });
    await expect(refusing).rejects.toThrow("new");
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["config.toml"]);
  });

  it("is checked beside its name, where what it names by relative paths is", async () => {
    for (const name of ["named", "real"]) mkdirSync(join(folder, name));
    writeFileSync(join(folder, "real/config.toml"), "old");
    const link = join(folder, "named/config.toml");
    symlinkSync("../real/config.toml", link);
    let seen: string[] = [];
    const check = async (staged: string) => void (seen = [dirname(staged), readFileSync(staged, "utf8")]);
    await replaceText(await readEditedFile(link), "new", { check });
    expect(seen).toEqual([join(folder, "named"), "new"]);
    expect(readdirSync(join(folder, "named"))).toEqual(["config.toml"]);
    expect(readdirSync(join(folder, "real"))).toEqual(["config.toml"]);
  });

  it("has no copy when it is not replaced after all", async () => {
    writeFileSync(path, "old");
    const file = await readEditedFile(path);
    const keep = () => keepCopy(file);
    const check = () => Promise.reject(new Error("no"));
    await expect(replaceText(file, "new", { keep, check })).rejects.toThrow("no");
    const failing = async () => {
      for (const name of readdirSync(folder)) if (name.endsWith(".tmp")) rmSync(join(folder, name));
      return keep();
    };
    await expect(replaceText(file, "new", { keep: failing })).rejects.toThrow("ENOENT");
    expect(readdirSync(folder)).toEqual(["config.toml"]);
  });

  it("leaves nothing of a call that was killed to the next", async () => {
    const [left, own] = [`.config.toml.${randomUUID()}.tmp`, `.config.toml.${randomUUID()}.tmp`];
    for (const name of [left, own, ".config.toml.mine.tmp"]) writeFileSync(join(folder, name), "half");
    utimesSync(join(folder, left), 1, 1);
    await replaceText(await readEditedFile(path), "new");
    expect(readdirSync(folder).toSorted()).toEqual([".config.toml.mine.tmp", own, "config.toml"].toSorted());
  });

  it("stays when somebody else has written it meanwhile", async () => {
    writeFileSync(path, "old");
    const file = await readEditedFile(path);
    writeFileSync(path, "theirs");
    await expect(replaceText(file, "new")).rejects.toMatchObject({ code: "ABORTED" });
    expect(readFileSync(path, "utf8")).toBe("theirs");
  });

  it("has to be text, and a file", async () => {
    writeFileSync(path, Buffer.of(0xff));
    await expect(readEditedFile(path)).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    await expect(readEditedFile(folder)).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    symlinkSync("elsewhere/config.toml", join(folder, "link.toml"));
    await expect(readEditedFile(join(folder, "link.toml"))).rejects.toThrow("is a link that leads nowhere");
  });
});

it("a copy that cannot be filled is none", async () => {
  writeFileSync(path, "old");
  const file = await readEditedFile(path);
  const unwritable = Symbol("no text") as unknown as string; // a full disk fails later, and the same way
  await expect(keepCopy({ ...file, text: unwritable })).rejects.toThrow("before-cleat");
  expect(readdirSync(folder)).toEqual(["config.toml"]);
});

it("copies never take each other's place", async () => {
  for (const text of ["1", "2", "3"]) {
    writeFileSync(path, text, { mode: 0o600 });
    await keepCopy(await readEditedFile(path));
  }
  expect(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")])).toEqual([
    ["config.toml", "3"],
    ["config.toml.before-cleat", "1"],
    ["config.toml.before-cleat.2", "2"],
    ["config.toml.before-cleat.3", "3"],
  ]);
  expect(statSync(`${path}.before-cleat.2`).mode & 0o7777).toBe(0o600);
  expect((await readLastCopy(await readEditedFile(path)))?.text).toBe("3");
});

import {
  chmodSync,
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
    const refusing = replaceText(await readEditedFile(path), "new", async (staged) => {
      throw new Error(readFileSync(staged, "utf8"));
    });
    await expect(refusing).rejects.toThrow("new");
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["config.toml"]);
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

import { statSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cleat, folder } from "../run.test.support.ts";

const inFolder = (name: string) => ["--folder", join(folder, name)];

describe("cleat new", () => {
  it("writes a project under its name, all files readable, and says what is next", async () => {
    const { code, out, err } = await cleat(["new", "volume", "mine", ...inFolder("sub/mine")]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const files = (await readdir(join(folder, "sub/mine"), { recursive: true })).toSorted();
    expect(files).toEqual(
      [".gitignore", "README.md", "package.json", "src", "tsconfig.json"]
        .concat(["driver.test.ts", "driver.ts", "main.ts"].map((file) => `src/${file}`))
        .toSorted(),
    );
    expect(out).toContain(join(folder, "sub/mine/src/driver.ts"));
    expect(await readFile(join(folder, "sub/mine/src/driver.ts"), "utf8")).toContain('name: "mine"');
    expect(await readdir(join(folder, "sub"))).toEqual(["mine"]);
    const modes = ["sub", "sub/mine", "sub/mine/src"].map((path) => statSync(join(folder, path)).mode);
    expect(new Set(modes).size).toBe(1); // as its user's umask has it
  });

  it("depends on the Cleat that has written it, and on none of a registry", async () => {
    expect(await cleat(["new", "volume", "linked", ...inFolder("linked")])).toMatchObject({ code: 0 });
    const { dependencies } = JSON.parse(await readFile(join(folder, "linked/package.json"), "utf8"));
    const [, path = ""] = /^file:(.+)$/.exec(dependencies.cleat) ?? [];
    const manifest = JSON.parse(await readFile(join(folder, "linked", path, "package.json"), "utf8"));
    // The stranger's has no exports.
    expect([manifest.name, Object.keys(manifest.exports)]).toEqual(["cleat", expect.arrayContaining(["./volume"])]);
  });

  it.each(["volume", "network", "ipam", "authz", "log", "secret", "metrics"])(
    "names every package that the sources of %s import, as Cleat itself does",
    async (kind) => {
      expect(await cleat(["new", kind, kind, ...inFolder(kind)])).toMatchObject({ code: 0 });
      const manifest = JSON.parse(await readFile(join(folder, kind, "package.json"), "utf8"));
      const own = JSON.parse(await readFile(new URL("../../../package.json", import.meta.url), "utf8"));
      const sources = await readdir(join(folder, kind, "src"));
      const texts = await Promise.all(sources.map((name) => readFile(join(folder, kind, "src", name), "utf8")));
      const imported = texts
        .flatMap((text) => [...text.matchAll(/ from "((?!\.|node:)(?:@[^/"]+\/)?[^/"]+)/g)])
        .map(([, name]) => name);
      expect(Object.keys(manifest.dependencies).toSorted()).toEqual([...new Set(imported)].toSorted());
      const { cleat: _itself, ...others } = manifest.dependencies;
      expect(own.dependencies).toMatchObject(others);
    },
  );

  it("takes an empty folder, and none in which something is", async () => {
    await mkdir(join(folder, "empty"));
    expect(await cleat(["new", "volume", "mine", ...inFolder("empty")])).toMatchObject({ code: 0 });
    const before = await readdir(join(folder, "empty"));
    const again = await cleat(["new", "volume", "mine", ...inFolder("empty")]);
    expect(again).toMatchObject({ code: 1, out: "", err: expect.stringMatching(/empty" is not empty\n$/) });
    expect(await readdir(join(folder, "empty"))).toEqual(before);
    await writeFile(join(folder, "file"), "");
    expect(await cleat(["new", "volume", "mine", ...inFolder("file")])).toMatchObject({ code: 1, out: "" });
  });

  it.each(["Mine", "../mine", "", "a b", "a/b", "-a", "a".repeat(65)])("refuses the name %j", async (name) => {
    const { code, out } = await cleat(["new", "volume", "--", name]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
  });

  it("says which kinds there are", async () => {
    expect((await cleat(["new", "volum", "x"])).err).toContain("did you mean volume?");
    expect((await cleat(["new", "teapot", "x"])).err).toContain(
      "there is volume, network, ipam, authz, log, secret, metrics",
    );
  });
});

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { commonOptions, optionKinds, optionsForHost, readDriverOptions, toDiffOptions } from "./driver-options.ts";
import type { btrfs, overlay2, vfs } from "../drivers/index.ts";
import { createAutomaticDriver } from "../selection/automatic-driver.ts";
import { builtInFactories, createDriverRegistry } from "../selection/registry.ts";

const table = {
  "a.size": { name: "sizeBytes", ...optionKinds.size, help: "" },
  "a.flag": { name: "isFlagged", ...optionKinds.boolean, help: "" },
} as const;

describe("a driver's options", () => {
  it("are read by its table, whatever the case of their keys, and the last counts", () => {
    expect(readDriverOptions("a", { options: [" A.Size = 1k", "a.flag=T", "a.size=2k"] }, table)).toEqual({
      sizeBytes: 2048,
      isFlagged: true,
    });
    expect(readDriverOptions("a", {}, table)).toEqual({});
  });

  it.each([
    ["foo", 'a: option "foo" is not of the form key=value; there are a.flag, a.size'],
    ["", 'a: option "" is not of the form key=value; there are a.flag, a.size'],
    ["unknown=1", 'a: unknown option "unknown"; there are a.flag, a.size'],
    ["toString=1", 'a: unknown option "tostring"; there are a.flag, a.size'],
    ["=1", 'a: unknown option ""; there are a.flag, a.size'],
    ["a.flag=perhaps", 'option "a.flag" is "perhaps", not true or false'],
    ["a.size=", 'option "a.size": "" is not a size, like 10G or 512m'],
  ])("refuse %j", (option, message) => {
    const read = () => readDriverOptions("a", { options: [option] }, table);
    expect(read).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT", message }));
  });

  it("are values by their names beside those, and count before them", () => {
    const options = ["a.size=1k", "a.flag=true"];
    expect(readDriverOptions("a", { options, isFlagged: false }, table)).toEqual({ sizeBytes: 1024, isFlagged: false });
    expect(readDriverOptions("a", { sizeBytes: 2 ** 40, isFlagged: undefined }, table)).toEqual({ sizeBytes: 2 ** 40 });
    // @ts-expect-error a compiler knows what they take, and what there is none of
    readDriverOptions("a", { isFlagged: "false" }, table);
    // @ts-expect-error likewise
    readDriverOptions("a", { isFlaged: true }, table);
  });

  it.each([
    [{ isFlagged: "perhaps" }, 'option "isFlagged" is "perhaps", not true or false'],
    [{ isFlagged: null }, 'option "isFlagged" is "null", not true or false'],
    [{ sizeBytes: -1 }, 'option "sizeBytes": "-1" is not a size, like 10G or 512m'],
  ])("refuse %j, which no compiler has seen", (given, message) => {
    const read = () => readDriverOptions("a", given as object, table);
    expect(read).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT", message }));
  });

  it("do not take a text for its truth", () => {
    expect(readDriverOptions("a", { isFlagged: "false" } as object, table)).toEqual({ isFlagged: false });
  });

  it("are of each driver's own type where it is opened", () => {
    type Given<Factory extends { open(options: never): unknown }> = Omit<Parameters<Factory["open"]>[0], "home">;
    const given = [
      { exactDiffs: true, archiveDialect: "docker-20.10", sizeBytes: 2 ** 30 } satisfies Given<typeof overlay2>,
      { minSizeBytes: 2 ** 20, strictAttributes: true, maxThreads: 8 } satisfies Given<typeof btrfs>,
      // @ts-expect-error vfs refuses one
      { sizeBytes: 2 ** 30 } satisfies Given<typeof vfs>,
      // @ts-expect-error nobody writes so
      { archiveDialect: "podman" } satisfies Given<typeof vfs>,
    ];
    expect(given).toHaveLength(4);
  });

  it("have names of their own, none of what every driver is opened with", () => {
    const others = ["home", "options", "uidMaps", "gidMaps", "durability", "door", "resume", "logger"];
    for (const { options = {} } of builtInFactories) {
      const names = Object.values(options).map(({ name }) => name);
      expect(new Set([...names, ...others]).size).toBe(names.length + others.length);
    }
  });

  it("are all on the page for authors, by name and as text", () => {
    const page = readFileSync(new URL("../../docs/graph-drivers.md", import.meta.url), "utf8");
    const rows = builtInFactories.flatMap(({ options = {} }) =>
      Object.entries(options).map(([key, { name }]) => `| \`${name}\` | \`${key}\` |`),
    );
    const refused = "| `sizeBytes` | `size` |"; // vfs has it to say why not
    expect(rows.filter((row) => row !== refused && !page.includes(row))).toEqual([]);
  });

  it("are those of all drivers where one is chosen", () => {
    const { options } = createAutomaticDriver(createDriverRegistry(builtInFactories));
    const all = builtInFactories.flatMap((factory) => Object.keys(factory.options ?? {}));
    expect(Object.keys(options ?? {}).toSorted()).toEqual([...new Set(all)].toSorted());
    expect(all).toContain("overlay2.size");
  });
});

const dialectOf = (options: readonly string[]): string =>
  toDiffOptions(readDriverOptions("vfs", { options }, commonOptions)).archiveDialect;

describe("whose archiver is followed", () => {
  it.each([
    ["Docker 20.10's, where Host is empty", "", "docker-20.10"],
    ["Docker 26's, for the name that it calls plugins by", "plugin.moby.localhost", "docker-26"],
    ["the newest, where nothing is told", undefined, "docker-26"],
  ])("%s", (_, host, dialect) => {
    expect(dialectOf(optionsForHost(host))).toBe(dialect);
  });

  it("the one that an option names, whatever the engine is", () => {
    const read = (host: string, value: string) =>
      dialectOf([...optionsForHost(host), `cleat.archive_dialect=${value}`]);
    expect(read("", "docker-26")).toBe("docker-26");
    expect(read("plugin.moby.localhost", "Docker-20.10")).toBe("docker-20.10");
  });

  it("none that is not known", () => {
    expect(() => dialectOf(["cleat.archive_dialect=podman"])).toThrow(
      'option "cleat.archive_dialect" is "podman", not docker-20.10 or docker-26',
    );
  });
});

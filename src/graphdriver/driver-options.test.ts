import { describe, expect, it } from "vitest";
import { commonOptions, optionKinds, optionsForHost, readDriverOptions, toDiffOptions } from "./driver-options.ts";
import { createAutomaticDriver } from "../selection/automatic-driver.ts";
import { builtInFactories, createDriverRegistry } from "../selection/registry.ts";

const table = {
  "a.size": { ...optionKinds.size, help: "" },
  "a.flag": { ...optionKinds.boolean, help: "" },
};

describe("a driver's options", () => {
  it("are read by its table, whatever the case of their keys, and the last counts", () => {
    expect(readDriverOptions("a", [" A.Size = 1k", "a.flag=T", "a.size=2k"], table)).toEqual({
      "a.size": 2048,
      "a.flag": true,
    });
    expect(readDriverOptions("a", undefined, table)).toEqual({});
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
    const read = () => readDriverOptions("a", [option], table);
    expect(read).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT", message }));
  });

  it("are those of all drivers where one is chosen", () => {
    const { options } = createAutomaticDriver(createDriverRegistry(builtInFactories));
    const all = builtInFactories.flatMap((factory) => Object.keys(factory.options ?? {}));
    expect(Object.keys(options ?? {}).toSorted()).toEqual([...new Set(all)].toSorted());
    expect(all).toContain("overlay2.size");
  });
});

const dialectOf = (options: readonly string[]): string =>
  toDiffOptions(readDriverOptions("vfs", options, commonOptions)).archiveDialect;

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

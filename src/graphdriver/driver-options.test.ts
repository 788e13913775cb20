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

const userNames = (options: readonly string[]): boolean =>
  toDiffOptions(readDriverOptions("vfs", options, commonOptions)).userNames;

describe("whose archiver is followed", () => {
  it.each([
    ["Docker 20.10's, where Host is empty", "", true],
    ["Docker 26's, for the name that it calls plugins by", "plugin.moby.localhost", false],
    ["the newest, where nothing is told", undefined, false],
  ])("%s", (_, host, isOld) => {
    expect(userNames(optionsForHost(host))).toBe(isOld);
  });

  it("the one that an option names, whatever the engine is", () => {
    const read = (host: string, value: string) =>
      userNames([...optionsForHost(host), `cleat.archive_dialect=${value}`]);
    expect(read("", "docker-26")).toBe(false);
    expect(read("plugin.moby.localhost", "Docker-20.10")).toBe(true);
  });

  it("none that is not known", () => {
    expect(() => userNames(["cleat.archive_dialect=podman"])).toThrow(
      'option "cleat.archive_dialect" is "podman", not docker-20.10 or docker-26',
    );
  });
});

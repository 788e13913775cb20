import { describe, expect, it } from "vitest";
import { optionsForHost, readDriverOptions } from "./driver-options.ts";

describe("whose archiver is followed", () => {
  it.each([
    ["Docker 20.10's, where Host is empty", "", true],
    ["Docker 26's, for the name that it calls plugins by", "plugin.moby.localhost", false],
    ["the newest, where nothing is told", undefined, false],
  ])("%s", (_, host, isOld) => {
    expect(readDriverOptions("vfs", optionsForHost(host)).userNames).toBe(isOld);
  });

  it("the one that an option names, whatever the engine is", () => {
    const read = (host: string, value: string) =>
      readDriverOptions("vfs", [...optionsForHost(host), `cleat.archive_dialect=${value}`]).userNames;
    expect(read("", "docker-26")).toBe(false);
    expect(read("plugin.moby.localhost", "Docker-20.10")).toBe(true);
  });

  it("none that is not known", () => {
    expect(() => readDriverOptions("vfs", ["cleat.archive_dialect=podman"])).toThrow(
      'option "cleat.archive_dialect" is "podman", not docker-20.10 or docker-26',
    );
  });
});

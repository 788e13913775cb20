import { describe, expect, it } from "vitest";
import { parseVersion } from "../config/versions.ts";
import { chooseDoor, dockerSettings, withoutSettings, withSettings } from "./daemon-json.ts";

const snapshotter = dockerSettings("snapshotter");
const write = (text: string | undefined) => withSettings(text, snapshotter, "daemon.json");
const remove = (text: string, before: string | undefined) => withoutSettings(text, before, "daemon.json");

describe("the door to Cleat", () => {
  it.each([
    ["20.10.24", true, "graph driver plugin"],
    ["26.1.5", true, "graph driver plugin"],
    ["26.1.5", false, "snapshotter"],
    ["28.5.2", false, "snapshotter"],
    ["29.7.2", false, "snapshotter"],
  ])("of Docker %s, as a plugin: %s, is the %s", (version, wantsPlugin, door) => {
    expect(chooseDoor(parseVersion(version), wantsPlugin)).toBe(door);
  });

  it("is shut where Docker has no such", () => {
    expect(() => chooseDoor(parseVersion("28.5.2"), true)).toThrow("Docker 28.5.2 takes no graph driver plugins");
    expect(() => chooseDoor(parseVersion("20.10.24"), false)).toThrow("Docker 20.10.24 takes no snapshotters");
  });
});

describe("daemon.json", () => {
  const owners =
    '{\n  "log-driver": "local",\n  "features": { "buildkit": true },\n  "storage-driver": "overlay2"\n}\n';

  it("keeps all that it says, in its order", () => {
    expect(write(owners)).toBe(
      '{\n  "log-driver": "local",\n  "features": { "buildkit": true, "containerd-snapshotter": true },\n  ' +
        '"storage-driver": "cleat"\n}\n',
    );
  });

  it("is again what it was", () => {
    for (const text of [owners, undefined, "{}", '{"storage-driver":"cleat"}'])
      expect(remove(write(text), text), text).toBe(text);
  });

  it("keeps what was written since", () => {
    const since = write(owners).replace('"local"', '"journald"');
    expect(JSON.parse(remove(since, owners) ?? "")).toEqual({ ...JSON.parse(owners), "log-driver": "journald" });
    expect(remove('{"a":1,"features":{"containerd-snapshotter":true},"storage-driver":"cleat"}', undefined)).toBe(
      '{"a":1}',
    );
  });

  it("of another driver is left alone", () => {
    expect(remove(owners, "{}")).toBe(owners);
    expect(remove('{"experimental":true}', undefined)).toBe('{"experimental":true}');
  });

  it("that is none is refused", () => {
    expect(() => write("[]")).toThrow("daemon.json is not an object of JSON");
    expect(() => write("{")).toThrow(/daemon\.json is not JSON: .*JSON/);
    expect(() => write('{"features":[]}')).toThrow('daemon.json has no object under "features"');
  });
});

import { describe, expect, it } from "vitest";
import { visibilityOfMounts } from "./mount-visibility.ts";

/** A mount as `/proc/PID/mountinfo` tells it: where, what of which file system, and its propagation. */
const mount = (mountPoint: string, device: string, root: string, propagation: string): string =>
  `30 20 ${device} ${root} ${mountPoint} rw,relatime ${propagation === "" ? "" : `${propagation} `}- ext4 /dev/sda rw`;
const root = (propagation: string) => mount("/", "8:1", "/", propagation);
const lines = (...mounts: string[]) => `${mounts.join("\n")}\n`;

const home = "/var/lib/docker/cleat";
const seen = (ours: string, theirs: string) => visibilityOfMounts(home, ours, theirs);

describe("what a plugin mounts is", () => {
  it.each([
    ["seen where both are in one peer group", root("shared:1"), root("shared:1"), "seen"],
    ["seen by who follows (MountFlags=slave of the engine)", root("shared:1"), root("master:1"), "seen"],
    [
      "seen by who follows and hands on (PrivateTmp= of the engine)",
      root("shared:1"),
      root("shared:9 master:1"),
      "seen",
    ],
    [
      "seen by who follows through a group it does not see",
      root("shared:1"),
      root("master:5 propagate_from:1"),
      "seen",
    ],
    ["hidden in a unit with PrivateTmp=", root("shared:9 master:1"), root("shared:1"), "hidden"],
    ["hidden in a unit with MountFlags=slave", root("master:1"), root("shared:1"), "hidden"],
    ["hidden in a private namespace", root(""), root("shared:1"), "hidden"],
    ["hidden from an engine in a private namespace", root("shared:1"), root(""), "hidden"],
    ["hidden between two that follow the same", root("shared:8 master:1"), root("shared:9 master:1"), "hidden"],
    [
      "hidden from an engine that follows whom the plugin follows",
      root("shared:8 master:1"),
      root("master:1"),
      "hidden",
    ],
    ["not known where the engine follows what nobody here has", root("shared:1"), root("master:5"), "unknown"],
    ["hidden where it is unbindable besides", root("unbindable"), root("shared:1 unbindable"), "hidden"],
    ["not known without mounts", "", "", "unknown"],
  ])("%s", (_title, ours, theirs, expected) => {
    expect(seen(ours, theirs)).toBe(expected);
  });

  it("hidden below a folder that is mounted on itself for the plugin (ReadWritePaths=)", () => {
    const own = mount("/var/lib/docker", "8:1", "/var/lib/docker", "shared:9");
    expect(seen(lines(root("shared:1"), own), root("shared:1"))).toBe("hidden");
  });

  it("seen in a folder that is another mount of the same peer group", () => {
    const own = mount("/var/lib", "8:1", "/var/lib", "shared:1");
    expect(seen(lines(root(""), own), root("shared:1"))).toBe("seen");
  });

  it("hidden where the engine has another file system, or another folder of it, in that place", () => {
    const engines = [
      mount("/var/lib/docker", "8:2", "/", "shared:1"),
      mount("/var/lib/docker", "8:1", "/x", "shared:1"),
    ];
    for (const other of engines) expect(seen(root("shared:1"), lines(root("shared:1"), other))).toBe("hidden");
  });

  it("judged by the last of several mounts in one place, and not by one that only begins alike", () => {
    const theirs = lines(root(""), mount("/var", "8:3", "/", ""), mount("/var", "8:2", "/", "shared:1"));
    const ours = lines(root(""), mount("/var", "8:2", "/", "shared:1"), mount("/var/lib/dock", "8:9", "/", ""));
    expect(seen(ours, theirs)).toBe("seen");
  });

  it("seen through groups that either of both tells of", () => {
    const theirs = lines(root("master:5"), mount("/mnt", "8:1", "/", "shared:5 master:1"));
    expect(seen(root("shared:1"), theirs)).toBe("seen");
    expect(seen(lines(root("shared:1"), mount("/mnt", "8:1", "/", "shared:5 master:3")), root("master:5"))).toBe(
      "unknown",
    );
    const elsewhere = lines(root("shared:1"), mount("/mnt", "8:1", "/", "shared:5"));
    expect(seen(elsewhere, root("master:5"))).toBe("hidden");
  });
});

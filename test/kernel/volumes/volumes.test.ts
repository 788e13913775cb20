/** Volumes that are mounted for real, by programs that run in mounts of their own. */
import { join } from "node:path";
import { test } from "vitest";
import { volumeProgramsFolder } from "#scripts/unpacked/volume-programs.mjs";
import { atNight } from "../../night.ts";
import { describeWith, needs } from "../../needs.ts";
import { type LoopFileSystem, runWithPrivateMounts } from "../graphdriver/private-mounts.ts";

const run = (program: string, ...args: readonly string[]) => runOn(undefined, program, ...args);

const runOn = (fileSystem: LoopFileSystem | undefined, program: string, ...args: readonly string[]) =>
  runWithPrivateMounts((folder) => [process.execPath, join(import.meta.dirname, program), folder, ...args], {
    fileSystem,
  });

/** By day a step of each call at which most is undecided; at night all. */
const steps = atNight ? [] : ["some", "create: made", "mount: mounted", "unmount: recorded", "remove: removed"];

describeWith([needs.root], "volumes", () => {
  test("of every type are mounted as their options say, and given back", () => run("types.mjs"));
  test("have all that was acknowledged, whatever step their process is killed at", () => run("killed.mjs", ...steps));
  test("that are folders of the host are given back with what is mounted below, and the host keeps its own", () =>
    run("bound-trees.mjs"));
  test("of servers whose names nobody looks up end at their deadline, and hold nobody else up", () => run("names.mjs"));
  test("need no program but Node", () => run("bare.mjs"));
  test("are there after the machine went down, with no holder left", () => run("rebooted.mjs"));
  test("keep what was written, and stay mounted, when their records alone come back from a backup", () =>
    run("older.mjs"));
  test.each<LoopFileSystem>(atNight ? ["ext4", "xfs", "btrfs"] : ["xfs", "btrfs"])(
    "on %s are made from others, whole or not at all",
    (fileSystem) => runOn(fileSystem, "clones.mjs"),
  );
  test("are backed up whole, and restored whole or not at all", () => run("backups.mjs", ...(atNight ? [] : ["some"])));
  test.each(atNight ? ["ext4", "xfs"] : ["ext4"])("that are files with a %s hold no more than that, and grow", (type) =>
    run("images.mjs", type),
  );
  test("that are files have all that was acknowledged, too, and the size that they were given", () =>
    runWithPrivateMounts((folder) => [
      "env",
      "VOLUME_TYPE=image",
      process.execPath,
      join(import.meta.dirname, "killed.mjs"),
      folder,
      ...(atNight ? [] : ["some", "resize: recorded", "resize: resized"]),
    ]));
  test("of every type that needs no server pass the kit", () =>
    run("conformance.mjs", ...(atNight ? [] : ["plain", "bind", "tmpfs"])));
});

describeWith([needs.root, needs.volumePrograms], "volumes that programs serve", () => {
  test.each(["sshfs", "rclone"])(
    "by %s live on when it dies, when Cleat does and when the server hangs, and show no secret",
    (type) => run("fuse.mjs", volumeProgramsFolder, type),
  );
  test.runIf(atNight).each(["sshfs", "rclone"])("by %s pass the kit", (type) =>
    run("conformance.mjs", type, volumeProgramsFolder),
  );
  test("are one host's at a time where meant to be, whoever is killed, frozen or silent, with etcd and without", () =>
    run("global.mjs", volumeProgramsFolder));
  test.runIf(atNight)("are one host's at a time, and all there, whichever members of an etcd over TLS are gone", () =>
    run("etcd-members.mjs", volumeProgramsFolder),
  );
  test("have all that was acknowledged, whatever step their driver is killed at", () =>
    runWithPrivateMounts((folder) => [
      "env",
      "VOLUME_TYPE=rclone",
      `PROGRAMS=${volumeProgramsFolder}`,
      process.execPath,
      join(import.meta.dirname, "killed.mjs"),
      folder,
      ...(atNight ? [] : ["some", "mount: recorded", "mount: mounted"]),
    ]));
});

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const project = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "cleat-loads-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Loads {
  /** Of `dist`, the rooms. */
  readonly rooms: readonly string[];
  readonly packages: readonly string[];
  /** Of `dist`. */
  readonly files: number;
}

/** What a program loads of this package and of others. Node's own modules do not count. */
function loadsOf(args: readonly string[]): Loads {
  const list = join(folder, "loaded");
  writeFileSync(list, "");
  const reporter = join(import.meta.dirname, "report-loads.mjs");
  spawnSync(process.execPath, ["--import", reporter, ...args], {
    cwd: project,
    env: { PATH: process.env["PATH"], HOME: folder, XDG_RUNTIME_DIR: folder, LOADED_FILES: list },
    encoding: "utf8",
  });
  const urls = [...new Set(readFileSync(list, "utf8").split("\n"))].filter((url) => url.startsWith("file:"));
  const paths = urls.map((url) => relative(project, fileURLToPath(url)).split(sep));
  const own = paths.filter(([top]) => top === "dist");
  const others = paths.filter(([top]) => top === "node_modules");
  const unique = (names: (string | undefined)[]) => [...new Set(names)].map(String).toSorted();
  return {
    rooms: unique(own.map(([, room]) => room)),
    packages: unique(others.map(([, name]) => name)),
    files: own.length,
  };
}

const cli = ["dist/cli/main.js"];
const importing = (entry: string) => ["--input-type=module", "--eval", `await import("cleat/${entry}")`];
const wire = ["errors", "protocol", "transport"];
const calling = ["cli", ...wire, "host", "volume"];

/**
 * [what, its program, rooms, packages, at most so many files]: one more file is half a millisecond. What `--help`,
 * `call`, `ls`, `inspect` and `config containerd` load is put together (scripts/bundle-commands.mjs).
 */
const table: readonly (readonly [string, readonly string[], readonly string[], readonly string[], number])[] = [
  ["cleat --help", [...cli, "--help"], ["cli", "errors"], [], 3],
  ["cleat --version", [...cli, "--version"], ["cli", "errors"], [], 3],
  ["a wrong command line", [...cli, "serv"], ["cli", "errors"], [], 3],
  ["cleat call", [...cli, "call", "nobody", "VolumeDriver.List"], ["cli", "errors"], [], 13],
  ["cleat ls", [...cli, "ls"], ["cli", "errors"], [], 11],
  ["cleat inspect", [...cli, "inspect", "nobody"], ["cli", "errors"], [], 12],
  [
    "cleat config containerd",
    [...cli, "config", "containerd", "--address", "/nowhere"],
    ["cli", "errors"],
    ["smol-toml"],
    8,
  ],
  ["cleat units", [...cli, "units"], ["cli", "files", ...wire], ["zod"], 85],
  ["cleat doctor", [...cli, "doctor", "--timeout", "0"], ["cli", ...wire], ["zod"], 85],
  ["cleat trace", [...cli, "trace", "nobody"], [...calling, "files", "plugin"], ["zod"], 165],
  ["cleat/errors", importing("errors"), ["errors"], [], 12],
  ["cleat/protocol", importing("protocol"), ["errors", "protocol"], ["zod"], 30],
  ["cleat/transport", importing("transport"), wire, ["zod"], 65],
  ["cleat/grpc", importing("grpc"), ["grpc", ...wire], ["@bufbuild", "zod"], 90],
  ["cleat/plugin", importing("plugin"), ["files", "plugin", ...wire], ["zod"], 90],
  ["cleat/volume", importing("volume"), ["volume", ...wire], ["zod"], 75],
  ["cleat/authz", importing("authz"), ["authz", ...wire], ["zod"], 75],
  [
    "cleat/logdriver",
    importing("logdriver"),
    ["files", "logdriver", "state", "syscall", ...wire],
    ["@bufbuild", "koffi", "zod"],
    143,
  ],
  ["cleat/host", importing("host"), ["host", "volume", ...wire], ["zod"], 120],
  // What each thread of workers loads, of which there may be sixteen.
  ...["overlay2", "fuse-overlayfs", "btrfs", "vfs"].map(
    (driver) =>
      [
        `the jobs of ${driver}`,
        ["--input-type=module", "--eval", `await import("./dist/drivers/${driver}/jobs.js")`],
        ["drivers", "errors", "graphdriver", "layer", "protocol", "syscall", "tar", "workers"],
        ["koffi"],
        243,
      ] as const,
  ),
  // Each on a thread of its own, whenever a driver is chosen.
  ...["overlay2/probe", "fuse-overlayfs", "btrfs", "vfs"].map(
    (folder) =>
      [
        `the probe of ${folder}`,
        ["--input-type=module", "--eval", `await import("./dist/drivers/${folder}/probe-folder.js")`],
        ["drivers", "errors", "graphdriver", "syscall"],
        ["koffi"],
        52,
      ] as const,
  ),
  ["cleat/tar", importing("tar"), ["errors", "tar"], [], 60],
];

test.each(table)("%s loads what it needs", (_what, args, rooms, packages, files) => {
  const loaded = loadsOf(args);
  expect({ rooms: loaded.rooms, packages: loaded.packages }).toEqual({ rooms: rooms.toSorted(), packages });
  expect(loaded.files).toBeLessThanOrEqual(files);
  expect(loaded.files).toBeGreaterThan(0); // the reporter works
});

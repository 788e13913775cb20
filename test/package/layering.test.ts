import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

/**
 * Which rooms a room may import. Arrows point down only; siblings do not know each other. `CONTRIBUTING.md` draws the
 * same picture.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  files: [],
  protocol: ["errors"],
  syscall: ["errors"],
  tar: ["errors"],
  transport: ["protocol", "errors"],
  workers: ["syscall", "protocol", "errors"],
  layer: ["tar", "syscall", "errors"],
  plugin: ["files", "transport", "protocol", "errors"],
  grpc: ["transport", "protocol", "errors"],
  volume: ["transport", "protocol", "errors"],
  network: ["transport", "protocol", "errors"],
  ipam: ["transport", "protocol", "errors"],
  secret: ["transport", "protocol", "errors"],
  metrics: ["transport", "protocol", "errors"],
  authz: ["transport", "protocol", "errors"],
  logdriver: ["state", "syscall", "transport", "protocol", "errors"],
  state: ["files", "syscall", "errors"],
  volumedrivers: ["files", "volume", "state", "workers", "layer", "tar", "syscall", "transport", "protocol", "errors"],
  csi: ["files", "volumedrivers", "volume", "state", "grpc", "syscall", "transport", "protocol", "errors"],
  host: ["volume", "transport", "protocol", "errors"],
  containerd: ["grpc", "protocol", "errors"],
  snapshotter: [
    "files",
    "graphdriver",
    "containerd",
    "grpc",
    "state",
    "layer",
    "workers",
    "tar",
    "syscall",
    "transport",
    "protocol",
    "errors",
  ],
  graphdriver: ["layer", "workers", "syscall", "transport", "protocol", "errors"],
  drivers: ["graphdriver", "layer", "workers", "tar", "syscall", "errors"],
  selection: ["drivers", "graphdriver", "layer", "syscall", "transport", "protocol", "errors"],
  layerstore: ["graphdriver", "layer", "workers", "syscall", "errors"],
  testing: [
    "snapshotter",
    "graphdriver",
    "volume",
    "network",
    "ipam",
    "secret",
    "metrics",
    "authz",
    "logdriver",
    "layer",
    "tar",
    "syscall",
    "transport",
    "protocol",
    "errors",
  ],
  cli: [
    "files",
    "testing",
    "authz",
    "volume",
    "containerd",
    "snapshotter",
    "layerstore",
    "selection",
    "drivers",
    "graphdriver",
    "layer",
    "tar",
    "syscall",
    "grpc",
    "plugin",
    "host",
    "csi",
    "volumedrivers",
    "volume",
    "transport",
    "protocol",
    "errors",
  ],
};

/**
 * What other rooms see of a room: `index.ts`, and beside it what those who add a driver of their
 * own build on, or its jobs.
 */
const isFace = (path: string): boolean => /^[^/]+\/(index|kit|job-kit|probe-kit)\.ts$/.test(path);

const project = join(import.meta.dirname, "../..");
const source = join(project, "src");
const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
const sources = files.filter((path) => !/\.test(\.support)?\.ts$/.test(path));

function importsOf(path: string, root = source): string[] {
  const text = readFileSync(join(root, path), "utf8");
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.\.?\/[^"]+)"/g)].map(
    ([, specifier]) => specifier as string,
  );
  return specifiers.map((specifier) => relative(root, join(root, dirname(path), specifier)));
}

const roomOf = (path: string): string => path.split("/")[0] as string;

test("every room stands in the table", () => {
  expect([...new Set(files.map(roomOf))].toSorted()).toEqual(Object.keys(mayImport).toSorted());
});

test("rooms import downwards only, and each other by their faces", () => {
  const wrong = sources.flatMap((path) =>
    importsOf(path)
      .filter((target) => roomOf(target) !== roomOf(path))
      .filter((target) => !mayImport[roomOf(path)]?.includes(roomOf(target)) || !isFace(target))
      .map((target) => `${path} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});

/** Faces and tests aside: a face shows what its folders hold. */
test("the folders of a room import each other one way", () => {
  const inner = sources.filter((path) => !isFolderFace(path));
  const arrows = folderArrows(inner, (path) =>
    importsOf(path).filter((target) => roomOf(target) === roomOf(path) && !isFolderFace(target)),
  );
  expect(findCircles(arrows)).toEqual([]);
});

test.each(["test/harness", "bench"])("so do those of %s", (name) => {
  const root = join(project, name);
  const programs = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
    (path) => /\.(ts|mjs)$/.test(path) && !path.startsWith("dist/"),
  );
  const inside = (path: string) => importsOf(path, root).filter((target) => !target.startsWith("../"));
  expect(findCircles(folderArrows(programs, inside))).toEqual([]);
});

type Arrows = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** From folder to folder, with an import that makes the arrow. */
function folderArrows(paths: readonly string[], importsFrom: (path: string) => readonly string[]): Arrows {
  const arrows = new Map<string, Map<string, string>>();
  for (const path of paths) {
    for (const target of importsFrom(path)) {
      const [from, to] = [dirname(path), dirname(target)];
      if (from === to) continue;
      const known = arrows.get(from) ?? new Map<string, string>();
      arrows.set(from, known.set(to, `${path} imports ${target}`));
    }
  }
  return arrows;
}

/** `index.ts` of a folder, and `kit.ts` and the like, which gather a kit out of the folders beside them. */
function isFolderFace(path: string): boolean {
  return /\/(index|kit|job-kit|probe-kit)\.ts$/.test(path);
}

/** The arrows on the way round each circle that a walk comes upon. */
function findCircles(arrows: Arrows): string[][] {
  const circles: string[][] = [];
  const done = new Set<string>();
  const visit = (folder: string, way: readonly (readonly [string, string])[]): void => {
    const at = way.findIndex(([from]) => from === folder);
    if (at >= 0) return void circles.push(way.slice(at).map(([, arrow]) => arrow));
    if (done.has(folder)) return;
    for (const [to, arrow] of arrows.get(folder) ?? []) visit(to, [...way, [folder, arrow]]);
    done.add(folder);
  };
  for (const folder of arrows.keys()) visit(folder, []);
  return circles;
}

test("every room is a public entry, but for those that are the house's own", () => {
  const { exports } = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as {
    exports: Record<string, unknown>;
  };
  const entries = Object.keys(exports).filter((entry) => !entry.endsWith(".json"));
  const rooms = new Set(entries.map((entry) => roomOf(entry.slice(2))));
  expect([...rooms, "cli", "files", "syscall", "workers"].toSorted()).toEqual(Object.keys(mayImport).toSorted());
});

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

/**
 * Which rooms a room may import. Arrows point down only; siblings do not know each other. `CONTRIBUTING.md` draws the same
 * picture.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  protocol: ["errors"],
  syscall: ["errors"],
  tar: ["errors"],
  transport: ["protocol", "errors"],
  workers: ["syscall", "errors"],
  layer: ["tar", "syscall", "errors"],
  plugin: ["transport", "protocol", "errors"],
  grpc: ["transport", "protocol", "errors"],
  volume: ["transport", "protocol", "errors"],
  host: ["volume", "transport", "protocol", "errors"],
  snapshotter: ["grpc", "syscall", "transport", "protocol", "errors"],
  graphdriver: ["layer", "workers", "syscall", "transport", "protocol", "errors"],
  testing: ["snapshotter", "graphdriver", "layer", "tar", "syscall", "errors"],
  cli: ["graphdriver", "layer", "syscall", "plugin", "host", "transport", "protocol", "errors"],
};

const source = join(import.meta.dirname, "../../src");
const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));

function importsOf(path: string): string[] {
  const text = readFileSync(join(source, path), "utf8");
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.\.?\/[^"]+)"/g)].map(
    ([, specifier]) => specifier as string,
  );
  return specifiers.map((specifier) => relative(source, join(source, dirname(path), specifier)));
}

const roomOf = (path: string): string => path.split("/")[0] as string;

test("every room stands in the table", () => {
  expect([...new Set(files.map(roomOf))].toSorted()).toEqual(Object.keys(mayImport).toSorted());
});

test("rooms import downwards only, and each other by their index", () => {
  const wrong = files
    .filter((path) => !path.endsWith(".test.ts"))
    .flatMap((path) =>
      importsOf(path)
        .filter((target) => roomOf(target) !== roomOf(path))
        .filter((target) => !mayImport[roomOf(path)]?.includes(roomOf(target)) || !target.endsWith("/index.ts"))
        .map((target) => `${path} imports ${target}`),
    );
  expect(wrong).toEqual([]);
});

test("every folder of the source is a public entry or the command", () => {
  const { exports } = JSON.parse(readFileSync(join(source, "../package.json"), "utf8")) as {
    exports: Record<string, unknown>;
  };
  const entries = Object.keys(exports).filter((entry) => entry !== "./package.json");
  expect([...entries.map((entry) => entry.slice(2)), "cli"].toSorted()).toEqual(Object.keys(mayImport).toSorted());
});

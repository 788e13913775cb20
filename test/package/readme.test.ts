import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const project = join(import.meta.dirname, "../..");
const readme = readFileSync(join(project, "README.md"), "utf8");

/** Inside the project, so that `cleat/…` resolves to the built package. */
const folder = mkdtempSync(join(project, "dist/readme-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What the examples leave to the reader. */
const given = `
declare const layerTar: Buffer[];
declare const myDriver: import("cleat/graphdriver").GraphDriverFactory;
declare const myVolumes: import("cleat/volume").VolumeDriver;
`;

test("the README's TypeScript compiles against the built package", () => {
  const blocks = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code as string);
  expect(blocks.length).toBeGreaterThan(1);
  const files = blocks.map((code, index) => {
    const path = join(folder, `example-${index}.ts`);
    writeFileSync(path, `${code}${given}`);
    return path;
  });
  const options = [
    "--noEmit",
    "--strict",
    "--target",
    "es2023",
    "--module",
    "nodenext",
    "--types",
    "node",
    "--ignoreConfig",
  ];
  const { stdout } = spawnSync(join(project, "node_modules/.bin/tsc"), [...options, "--skipLibCheck", ...files], {
    cwd: project,
    encoding: "utf8",
  });
  expect(stdout).toBe("");
});

test("the README's commands and options exist", () => {
  const used = [...readme.matchAll(/npx cleat ([a-z]+(?: graph)?)/g)].map(([, name]) => name as string);
  const overview = spawnSync(process.execPath, [join(project, "dist/cli/main.js"), "--help"], {
    encoding: "utf8",
  }).stdout;
  for (const name of used) expect(overview).toContain(name);
});

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const packages = ["zod", "@types/node"];

/**
 * Compiles an example as its author does, in a folder of its own below `folder`, against the built package; returns the folder
 * of what came out.
 */
export function buildExample(name: string, folder: string): string {
  const example = join(folder, name);
  cpSync(resolve("examples", name), example, { recursive: true });
  const modules = join(example, "node_modules");
  for (const dependency of packages) {
    mkdirSync(dirname(join(modules, dependency)), { recursive: true });
    symlinkSync(resolve("node_modules", dependency), join(modules, dependency));
  }
  symlinkSync(resolve("."), join(modules, "cleat"));
  execFileSync(resolve("node_modules/.bin/tsc"), { cwd: example, encoding: "utf8" });
  return join(example, "dist");
}

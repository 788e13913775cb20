/**
 * Types what a page says, word for word, in an empty project of its own in which Cleat is installed, and compares what
 * comes with what the page shows. `js` blocks are files, named by their first line; `console scratch` blocks are typed.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Page, pages, project } from "./docs/pages.ts";

const typed = pages.filter(({ blocks }) => blocks.some(({ kind }) => kind === "console scratch"));

test.each(typed)("$path shows what one sees who types it", (page) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "cleat-")));
  try {
    install(folder);
    for (const [name, code] of filesOf(page)) writeFileSync(join(folder, name), code);
    const transcript = page.blocks
      .filter(({ kind }) => kind === "console scratch")
      .map(({ text }) => text)
      .join("");
    const { stdout, stderr } = spawnSync("bash", ["-c", toScript(transcript)], {
      cwd: folder,
      encoding: "utf8",
      timeout: 250_000,
      env: { ...process.env, PWD: folder },
    });
    expect((stdout + stderr).replaceAll(folder, "/home/me/project")).toBe(transcript);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function install(folder: string): void {
  mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
  symlinkSync(project, join(folder, "node_modules/cleat"));
  // As the page that imports it says.
  symlinkSync(join(project, "node_modules/zod"), join(folder, "node_modules/zod"));
  symlinkSync(join(project, "dist/cli/main.js"), join(folder, "node_modules/.bin/cleat"));
  writeFileSync(join(folder, "package.json"), "{}");
}

function filesOf({ blocks }: Page): [name: string, code: string][] {
  return blocks
    .filter(({ kind }) => kind === "js")
    .map(({ text }) => {
      const name = /^\/\/ (\S+\.mjs)\n/.exec(text)?.[1];
      if (name === undefined) throw new Error(`a block of JavaScript does not begin with its name: ${text}`);
      return [name, text];
    });
}

/** One shell for the whole page, with an npx that is quick; what is left running when it ends is ended. */
function toScript(transcript: string): string {
  const commands = [...transcript.matchAll(/^\$ (.*)$/gm)].map(([, command = ""]) => command);
  const lines = commands.flatMap((command) => [`printf '%s\\n' ${quoted(`$ ${command}`)}`, command]);
  return [
    "exec 2>&1",
    'npx() { node_modules/.bin/"$@"; }',
    "trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT",
    ...lines,
  ].join("\n");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

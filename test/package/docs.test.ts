import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { listFeatures } from "../../src/cli/containerd/config/versions.ts";
import { madePages } from "#scripts/docs/pages.mjs";
import { blocksOf, pages, project } from "./docs/pages.ts";

/** Inside the project, so that `cleat/…` resolves to the built package. */
const folder = mkdtempSync(join(project, "dist/docs-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("the pages", () => {
  it("have no block of code that no test knows what to do with", () => {
    const kinds = new Set(pages.flatMap(({ blocks }) => blocks.map(({ kind }) => kind)));
    expect([...kinds].toSorted()).toEqual(["console", "console engine", "console scratch", "js", "ts"]);
  });

  it("are those that the tables in the source make (npm run docs)", () => {
    for (const [path, text] of madePages()) expect(readFileSync(join(project, path), "utf8"), path).toBe(text);
  });

  it("link to what is there", () => {
    for (const { path, text } of pages) {
      const links = [...text.matchAll(/\]\((?!https?:)([^)]*)\)/g)].map(([, target]) => target as string);
      const broken = links.filter((target) => !leadsSomewhere(path, target));
      expect(broken, path).toEqual([]);
    }
  });

  it("are all in the index of their folder", () => {
    for (const index of ["docs", "docs/protocols"]) {
      const text = readFileSync(join(project, index, "README.md"), "utf8");
      const beside = pages.map(({ path }) => path).filter((path) => dirname(path) === index);
      const missing = beside.map((path) => basename(path)).filter((name) => !text.includes(`](${name}`));
      expect(missing, index).toEqual(["README.md"]);
    }
    const examples = readdirSync(join(project, "examples"), { withFileTypes: true }).filter((one) => one.isDirectory());
    const index = readFileSync(join(project, "examples/README.md"), "utf8");
    expect(examples.map(({ name }) => name).filter((name) => !index.includes(`| [${name}](`))).toEqual([]);
  });

  it("are fewer than 200 lines where the first one is", () => {
    expect(pages[0]?.text.split("\n").length).toBeLessThan(200);
  });
});

function leadsSomewhere(page: string, target: string): boolean {
  const [file = "", anchor] = target.split("#");
  const path = file === "" ? join(project, page) : join(project, dirname(page), file);
  if (!existsSync(path)) return false;
  return anchor === undefined || headingsOf(readFileSync(path, "utf8")).includes(anchor);
}

/** As GitHub makes anchors of headings. */
function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

/** What the examples leave to the reader. */
const given = `
declare const layerTar: Buffer[];
declare const myDriver: import("cleat/graphdriver").GraphDriverFactory;
declare const myVolumes: import("cleat/volume").VolumeDriver;
`;

it("the TypeScript in the pages compiles against the built package", () => {
  const files = blocksOf("ts").map(({ text }, index) => {
    const path = join(folder, `example-${index}.ts`);
    writeFileSync(path, `${text}${given}`);
    return path;
  });
  expect(files.length).toBeGreaterThan(5);
  const options = "--noEmit --strict --target es2023 --module nodenext --types node --ignoreConfig --skipLibCheck";
  const { stdout } = spawnSync(join(project, "node_modules/.bin/tsc"), [...options.split(" "), ...files], {
    cwd: project,
    encoding: "utf8",
  });
  expect(stdout).toBe("");
});

describe("the commands of cleat in the pages", () => {
  const commandPage = pages.find(({ path }) => path === "docs/command.md")?.text ?? "";
  /** That the page says what the command says of itself is tested above. */
  const helpOf = (name: string) => commandPage.split("\n## ").find((section) => section.startsWith(`cleat ${name}\n`));
  const used = blocksOf("console", "console engine", "console scratch").flatMap(({ page, text }) =>
    [...text.matchAll(/^[$#] (?:npx )?cleat ((?:(?:serve|config|snapshots|volumes) )?[a-z]+)([^|&\n]*)/gm)].map(
      ([, name = "", rest = ""]) => ({
        page,
        name,
        options: [...rest.matchAll(/(?<= )--[a-z-]+/g)].map(([option]) => option),
      }),
    ),
  );
  const names = [...new Set(used.map(({ name }) => name))].filter((name) => name !== "help");

  it.each(names)("cleat %s is there, with the options that are used", (name) => {
    const help = helpOf(name);
    expect(help).toBeDefined();
    for (const { page, options } of used.filter((line) => line.name === name)) {
      for (const option of options) expect(help, page).toMatch(new RegExp(`^ +(-\\w, )?${option}\\b`, "m"));
    }
  });
});

it("the scripts of npm that the pages name are there", () => {
  const named = pages.flatMap(({ text }) =>
    [...text.matchAll(/[`$#] ?npm (?:run )?([a-z]+)/g)].map(([, name]) => name),
  );
  const { scripts } = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as { scripts: object };
  expect([...new Set(named)].filter((name) => !Object.hasOwn(scripts, name as string))).toEqual([]);
});

describe("what the pages list", () => {
  const textOf = (path: string) => readFileSync(join(project, path), "utf8");

  it("of options is what drivers take", () => {
    const help = textOf("docs/command.md");
    const taken = [...help.matchAll(/^ {2}([a-z0-9]+\.[a-z_]+)=/gm)].map(([, key]) => key as string);
    const listed = [...textOf("docs/docker.md").matchAll(/^\| `([a-z0-9]+\.[a-z_]+)=/gm)].map(([, key]) => key);
    expect(listed.toSorted()).toEqual([...new Set(taken)].toSorted()); // several commands list them
  });

  it("of what containerd knows is what the source says", () => {
    const rows = [...textOf("docs/containerd.md").matchAll(/^\| (.*) \| (\d[\d., ]*) \|$/gm)];
    expect(rows.map(([, means, since]) => [means, since])).toEqual(listFeatures());
  });

  /** Folders and files that a layout's comment in the source names. */
  it("of a home is what the source says of it", () => {
    const layouts = ["overlay/layout", "btrfs", "vfs"].map((place) => `src/drivers/${place}/layout.ts`);
    const pathsIn = (text: string) => [...text.matchAll(/^(?: \* +|\| `)(<home>\/[^\s`]+)/gm)].map(([, path]) => path);
    const inSource = [...layouts, "src/graphdriver/home/folders/home.ts"].flatMap((path) => pathsIn(textOf(path)));
    expect(inSource.length).toBeGreaterThan(15);
    expect(pathsIn(textOf("docs/stores.md")).toSorted()).toEqual(inSource.toSorted());
  });
});

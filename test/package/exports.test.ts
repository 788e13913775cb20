import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const project = join(import.meta.dirname, "../..");
const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as {
  readonly version: string;
  readonly bin: Record<string, string>;
  readonly exports: Record<string, unknown>;
};

const entries = Object.keys(manifest.exports)
  .map((entry) => entry.replace(/^\./, "cleat"))
  .filter((entry) => !entry.endsWith(".json"));

/** The values that each entry exports, from the built package, in one process. */
function publicNames(): Record<string, string[]> {
  const program = `
    const names = {};
    for (const entry of ${JSON.stringify(entries)}) names[entry] = Object.keys(await import(entry)).sort();
    console.log(JSON.stringify(names));`;
  const args = ["--input-type=module", "--eval", program];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: project, encoding: "utf8" })) as Record<
    string,
    string[]
  >;
}

/** What its declarations say that it exports, types too. */
function declaredNames(entry: string): string[] {
  const { types } = manifest.exports[entry.replace(/^cleat/, ".")] as { types: string };
  const text = readFileSync(join(project, types), "utf8");
  expect(text, `${entry} lists its names`).not.toMatch(/export \*|export (?:declare|const|function|class|interface)/);
  const lists = [...text.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, names]) => (names ?? "").split(","));
  return lists.map((name) => name.trim().replace(/^type |^.* as /, "")).filter((name) => name !== "");
}

/**
 * What is public is a promise: to make or break one, change the list (`npx vitest run --project package exports -u`).
 */
test("what each entry of the built package exports is what the list says", async () => {
  const lines = Object.entries(publicNames()).flatMap(([entry, values]) => {
    const declared = declaredNames(entry);
    expect(declared).toEqual(expect.arrayContaining(values));
    const types = declared.filter((name) => !values.includes(name)).map((name) => `type ${name}`);
    return [entry, ...[...values, ...types.toSorted()].map((name) => `  ${name}`)];
  });
  await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot("public-names.txt");
});

/** npm makes it executable when it links it for npx, and never again: a build must. */
test("the command runs from the built package, as a program", () => {
  const command = join(project, manifest.bin["cleat"] as string);
  expect(execFileSync(command, ["--version"], { encoding: "utf8" })).toBe(`${manifest.version}\n`);
});

/** The build puts modules into few files; what stays outside has to find them. Templates are of other packages. */
test("whatever a built file imports is there", () => {
  const dist = join(project, "dist");
  const files = readdirSync(dist, { recursive: true, encoding: "utf8" });
  const built = files.filter((path) => path.endsWith(".js") && !path.startsWith("cli/authoring/new/"));
  const imported = built.flatMap((path) =>
    [...readFileSync(join(dist, path), "utf8").matchAll(/(?:from|import|URL)\s*\(?\s*"(\.\.?\/[^"]+)"/g)].map(
      ([, target = ""]) => ({ path, target }),
    ),
  );
  expect(imported.length).toBeGreaterThan(1_000);
  expect(imported.filter(({ path, target }) => !existsSync(join(dist, dirname(path), target)))).toEqual([]);
});

import { readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { ProjectTemplate } from "./project-template.ts";

const packageFolder = fileURLToPath(new URL("../../../..", import.meta.url));

/** Cleat's own, which says what a project is built with. */
const manifest = JSON.parse(readFileSync(`${packageFolder}/package.json`, "utf8")) as {
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<"typescript" | "@types/node", string>>;
};

/** All files of a project in `folder`, by their paths. */
export function projectFiles(
  template: ProjectTemplate,
  name: string,
  folder: string,
): Readonly<Record<string, string>> {
  const sources = template.files(name);
  const dependencies = dependenciesIn(folder, Object.values(sources));
  return {
    "package.json": `${JSON.stringify({ ...packageOf(template, name), ...dependencies }, undefined, 2)}\n`,
    "tsconfig.json": `${JSON.stringify({ compilerOptions, include: ["src"] }, undefined, 2)}\n`,
    ".gitignore": "/dist/\n/node_modules/\n/state/\n/*.sock\n",
    "README.md": readme(template, name),
    ...sources,
  };
}

function packageOf({ summary, implements: implemented, checkOptions }: ProjectTemplate, name: string) {
  const socket = `./${name}.sock`;
  const options = checkOptions === undefined ? "" : ` ${checkOptions}`;
  return {
    name,
    version: "0.1.0",
    private: true,
    description: summary,
    type: "module",
    scripts: {
      build: "tsc",
      // Without `exec` npm's signals end the shell between, and the plugin stays.
      start: "exec node dist/main.js",
      test: "tsc && node --test dist/*.test.js && npm run check",
      check: `cleat check ${socket}${options} --restart 'node dist/main.js ./state ${socket}'`,
    },
    cleat: { implements: [implemented] },
    engines: { node: manifest.engines.node },
  };
}

/**
 * The Cleat that runs, by its path: npm's registry knows another package by that name. To a package by its
 * path npm makes a link, and installs nothing of what that depends on into the project: what its sources
 * import themselves is named too.
 */
function dependenciesIn(folder: string, sources: readonly string[]) {
  const { typescript, "@types/node": types } = manifest.devDependencies;
  const imported = Object.entries(manifest.dependencies).filter(([name]) =>
    sources.some((text) => text.includes(` from "${name}"`)),
  );
  return {
    dependencies: {
      cleat: `file:${relative(realpathOf(folder), realpathSync(packageFolder))}`,
      ...Object.fromEntries(imported),
    },
    devDependencies: { "@types/node": types, typescript },
  };
}

/** Of a folder that need not be there. */
function realpathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return join(realpathOf(dirname(path)), basename(path));
  }
}

const compilerOptions = {
  target: "es2023",
  module: "nodenext",
  types: ["node"],
  lib: ["es2023", "esnext.disposable"],
  strict: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: true,
  rootDir: "src",
  outDir: "dist",
};

const readme = ({ summary, page }: ProjectTemplate, name: string) => `# ${name}

${summary} Written with Cleat, whose \`${page}\` says what each method has to do.

    npm install
    npm test           builds it, and checks all that a plugin of its kind promises, also when it is killed
    npm start          serves it where engines look for plugins (as root)
    node dist/main.js ./state ./${name}.sock
                       serves it here, as anybody: npx cleat inspect ./${name}.sock

- \`src/driver.ts\` is the driver: begin there.
- \`src/main.ts\` serves it.
- \`src/driver.test.ts\` runs the kit of checks; \`npm run check\` runs it as engines call the plugin.
`;

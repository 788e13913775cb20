/** What a kind of plugin begins with. */
export interface ProjectTemplate {
  /** "volume": what `cleat new` calls it. */
  readonly kind: string;
  /** What the plugin lists in its manifest. */
  readonly implements: string;
  /** A sentence for the README and the help. */
  readonly summary: string;
  /** Where the protocol is explained, in Cleat's repository. */
  readonly page: string;
  /** What `npm run check` tells `cleat check` beside the socket and the command. */
  readonly checkOptions?: string | undefined;
  /** The sources by their paths; `name` is the plugin's. */
  files(name: string): Readonly<Record<string, string>>;
}

export interface MainParts {
  /** What makes a plugin of a driver, and where that is imported from: ["createIpamDriverPlugin", "cleat/ipam"]. */
  readonly serve: readonly [name: string, from: string];
  /** What `driver.ts` exports to open one in a folder. */
  readonly open: string;
  /** The argument of the first, in which `driver` is what was opened. */
  readonly given: string;
}

/** The program of every kind: a folder, and a socket where it is not served by name. */
export const mainOf = (name: string, { serve, open, given }: MainParts): string => `import { resolve } from "node:path";
${importsOf(serve)}
import { ${open} } from "./driver.js";

// node dist/main.js [FOLDER] [SOCKET]: without a socket it listens where engines look for the plugin.
const [folder = "/var/lib/${name}", socket] = process.argv.slice(2);
const isPassed = process.env["LISTEN_FDS"] !== undefined; // by systemd
const driver = await ${open}(resolve(folder));
const plugin = await serve({
  drivers: [${serve[0]}(${given})],
  listen: socket !== undefined ? { unix: resolve(socket) } : isPassed ? { systemd: true } : "${name}",
});
console.log(\`serving at \${plugin.address}\`);
`;

/** As a formatter would sort them. */
function importsOf([what, from]: readonly [string, string]): string {
  const own = `import { ${what} } from "${from}";`;
  const cleats = `import { serve } from "cleat/plugin";`;
  return [own, cleats]
    .toSorted((one, other) => (one.split("from")[1] ?? "").localeCompare(other.split("from")[1] ?? ""))
    .join("\n");
}

export interface KitParts {
  /** What `cleat/testing` calls the checks, and what runs them. */
  readonly checks: string;
  readonly run: string;
  /** What of `driver.ts` is needed. */
  readonly open: string;
  /** The options of the kit, in which `folder` is a folder of the test's. */
  readonly given: string;
  /** Before the tests. */
  readonly before?: string | undefined;
  /** Of node:fs/promises, beside mkdtemp and rm. */
  readonly files?: string | undefined;
}

/** The kit's checks as tests of Node's runner. */
export const kitOf = ({
  checks,
  run,
  open,
  given,
  before = "",
  files = "",
}: KitParts): string => `import { mkdtemp, rm${files} } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ${[checks, run].toSorted((one, other) => one.localeCompare(other)).join(", ")} } from "cleat/testing";
import { ${open} } from "./driver.js";

// What is promised, in this process. \`npm run check\` does it over the wire, and kills the plugin meanwhile.
const folder = await mkdtemp(join(tmpdir(), "plugin-"));
after(() => rm(folder, { recursive: true }));
${before}
for (const { id, title } of ${checks}) {
  test(\`\${id}: \${title}\`, async (context) => {
    const [result] = await ${run}({ ${given}, only: [id] });
    if (result?.outcome === "skipped") context.skip(result.reason);
    if (result?.outcome === "failed") throw result.error;
  });
}
`;

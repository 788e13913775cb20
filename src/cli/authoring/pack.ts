import { chmod, lstat, mkdir, mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { CleatError, isSystemError, toCleatError } from "../../errors/index.ts";
import { defineCommand, UsageError } from "../terminal/command.ts";
import { quote } from "../terminal/command-line.ts";
import { parseOneOf } from "../terminal/one-of.ts";
import { buildDeb, debName } from "./pack/deb.ts";
import { dockerBundle } from "./pack/docker-bundle.ts";
import { foldersOf, type PackedFile } from "./pack/packed-file.ts";
import { readProject } from "./pack/read-project.ts";

const kinds = ["docker", "deb"] as const;

export const pack = defineCommand({
  details: [
    "KIND    docker: a folder for docker plugin create, with this Node and the libraries that it loads",
    "        deb: a package for Debian 13 and later, with units of systemd; it needs Debian's nodejs",
    "FOLDER  a project that was built (cleat new writes one); default this one",
    "",
    "  npm run build && cleat pack docker && docker plugin create mine mine-plugin && docker plugin enable mine",
    "  npm run build && cleat pack deb && apt install ./mine_0.1.0_amd64.deb",
    "",
    'package.json says what the plugin implements: "cleat": {"implements": ["VolumeDriver"]}. Packed are dist/ and',
    "what dependencies need at run time; the program is main, default dist/main.js, which gets a folder to keep things",
    "in and, with docker, its socket. The same project gives the same bytes; files are of SOURCE_DATE_EPOCH, or of",
    "1980.",
  ],
  options: {
    out: {
      type: "string",
      value: "PATH",
      help: "what is written; default ./NAME-plugin or ./NAME_VERSION_ARCHITECTURE.deb",
    },
  },
  async run({ out }, [kind = "", folder = "."], { stdout, env }) {
    parseOneOf("KIND", kinds, kind);
    const mtimeSeconds = readEpoch(env["SOURCE_DATE_EPOCH"]);
    const project = await readProject(resolve(folder));
    let path: string;
    if (kind === "deb") {
      const isNative = project.files.some((file) => file.path.endsWith(".node"));
      const options = { architecture: isNative ? debianArchitecture() : "all", mtimeSeconds };
      path = resolve(out ?? debName(project, options));
      await writeNew(path, (staged) => writeFile(staged, buildDeb(project, options)));
    } else {
      path = resolve(out ?? `${project.name}-plugin`);
      const files = dockerBundle(project);
      await writeNew(path, (staged) => writeFiles(staged, files, mtimeSeconds));
    }
    stdout.write(`${path}\n`);
    return "done";
  },
});

/** Source: reproducible-builds.org, SOURCE_DATE_EPOCH. */
function readEpoch(text = "315532800"): number {
  if (/^\d{1,11}$/.test(text)) return Number(text);
  throw new UsageError(`SOURCE_DATE_EPOCH is a number of seconds, not ${quote(text)}`);
}

/** Source: Debian's `dpkg-architecture -L`. */
function debianArchitecture(): string {
  const names: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64", arm: "armhf", riscv64: "riscv64" };
  return names[process.arch] ?? process.arch;
}

/** Whole or not at all, and never in the place of something. */
async function writeNew(path: string, write: (staged: string) => Promise<unknown>): Promise<void> {
  const holder = await mkdtemp(join(dirname(path), ".cleat-pack-"));
  const staged = join(holder, "packed");
  try {
    await write(staged);
    await assertFree(path);
    await rename(staged, path);
  } catch (error) {
    throw toCleatError(error, JSON.stringify(path));
  } finally {
    await rm(holder, { recursive: true, force: true });
  }
}

/** A file that is there is somebody's. */
async function assertFree(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (!isSystemError(error, "ENOENT")) throw error;
  });
  if (found !== undefined) throw new CleatError("ALREADY_EXISTS", `${JSON.stringify(path)} is there; remove it first`);
}

async function writeFiles(root: string, files: readonly PackedFile[], mtimeSeconds: number): Promise<void> {
  const folders = foldersOf(files);
  for (const folder of ["", ...folders]) await mkdir(join(root, folder));
  for (const { path, content, isExecutable } of files) {
    await writeFile(join(root, path), content);
    await chmod(join(root, path), isExecutable ? 0o755 : 0o644);
  }
  const all = [...files.map(({ path }) => path), ...folders.toReversed(), ""];
  for (const path of all) await utimes(join(root, path), mtimeSeconds, mtimeSeconds);
}

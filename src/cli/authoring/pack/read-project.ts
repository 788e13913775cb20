import { readFile, readdir, realpath, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { z } from "zod";
import { CleatError, isSystemError, toCleatError } from "../../../errors/index.ts";
import { assertPluginName, protocols, announcedName } from "../../../protocol/index.ts";
import type { PackedFile } from "./packed-file.ts";

/** A built plugin, with what it needs to run. */
export interface Project {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly maintainer: string;
  /** What it lists in its manifest. */
  readonly implements: readonly string[];
  /** "dist/main.js" */
  readonly main: string;
  /** Below the project's folder: its manifest, what is built, and the packages that it depends on. */
  readonly files: readonly PackedFile[];
}

const manifestSchema = z.object({
  name: z.string(),
  version: z.string().regex(/^\d+\.\d+\.\d+(?:[-+.][0-9A-Za-z.+-]+)?$/, "is no version"),
  description: z.string().default(""),
  author: z.union([z.string(), z.object({ name: z.string() })]).optional(),
  main: z
    .string()
    .regex(/^(?:\.\/)?dist\/[\w./-]+$/, "does not lie in dist/")
    .default("dist/main.js"),
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
  cleat: z.object({ implements: z.array(z.string()).min(1) }).optional(),
});

type Manifest = z.output<typeof manifestSchema>;

/**
 * Reads a project that was built: `package.json`, `dist/`, and of `node_modules` what is needed at run time.
 * @throws FAILED_PRECONDITION when it is not built, or a dependency is not installed.
 * @throws INVALID_ARGUMENT for a manifest that is of no use; the message names the field.
 */
export async function readProject(folder: string): Promise<Project> {
  const manifest = await readManifest(folder);
  assertPluginName(manifest.name);
  const known = protocols.map(announcedName);
  const implemented = manifest.cleat?.implements ?? [];
  const unknown = implemented.find((one) => !known.includes(one));
  if (implemented.length === 0 || unknown !== undefined) {
    const wanted = `"cleat": {"implements": ["VolumeDriver"]}`;
    throw new CleatError("INVALID_ARGUMENT", `package.json lacks what the plugin implements: ${wanted}`);
  }
  const main = manifest.main.replace(/^\.\//, "");
  const built = await filesBelow(folder, "dist").catch((error: unknown): PackedFile[] => {
    if (isSystemError(error, "ENOENT")) return [];
    throw error;
  });
  if (!built.some(({ path }) => path === main)) {
    throw new CleatError("FAILED_PRECONDITION", `${JSON.stringify(join(folder, main))} is not there: build it first`);
  }
  const places = new Map<string, string>();
  const root = await realpath(folder);
  await addDependencies(root, { folder: root, packed: "" }, manifest, places);
  const packages = await Promise.all([...places].map(([packed, place]) => filesBelow(place, "", packed)));
  const { author = "" } = manifest;
  return {
    name: manifest.name,
    version: manifest.version,
    description: manifest.description || `container engine plugin ${manifest.name}`,
    maintainer: typeof author === "string" ? author : author.name,
    implements: implemented,
    main,
    files: [await readPacked(folder, "package.json"), ...built, ...packages.flat()],
  };
}

async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, "package.json");
  try {
    const { data, error } = manifestSchema.safeParse(JSON.parse(await readFile(path, "utf8")));
    if (data !== undefined) return data;
    const [issue] = error.issues;
    throw new CleatError("INVALID_ARGUMENT", `${issue?.path.join(".")}: ${issue?.message}`);
  } catch (error) {
    if (error instanceof SyntaxError) throw new CleatError("INVALID_ARGUMENT", `${JSON.stringify(path)} is not JSON`);
    if (!isSystemError(error, "ENOENT", "ENOTDIR")) throw toCleatError(error, JSON.stringify(path));
    const message = `there is no ${JSON.stringify(path)}: name the folder of a plugin's project`;
    throw new CleatError("NOT_FOUND", message, { cause: error });
  }
}

/**
 * As Node finds them: in whoever needs them, or above. They keep their place in the project, or in a package; what lies
 * elsewhere, as of a workspace, goes into the project's `node_modules`, or below whoever needs it where another has the
 * name there.
 */
async function addDependencies(
  project: string,
  { folder, packed: within }: { readonly folder: string; readonly packed: string },
  { dependencies, optionalDependencies }: Pick<Manifest, "dependencies" | "optionalDependencies">,
  packages: Map<string, string>,
): Promise<void> {
  const optional = Object.keys(optionalDependencies);
  for (const name of [...Object.keys(dependencies), ...optional]) {
    const found = await findPackage(folder, name);
    if (found === undefined) {
      if (optional.includes(name)) continue; // of another platform
      throw new CleatError("FAILED_PRECONDITION", `dependency "${name}" is not installed: npm install`);
    }
    const isInside = found.startsWith(`${project}/node_modules/`);
    const isOwn = found.startsWith(`${folder}/node_modules/`);
    const hoisted = `node_modules/${name}`;
    const taker = packages.get(hoisted) ?? (await packageAt(join(project, hoisted)));
    const isFree = taker === undefined || taker === found;
    const packed = isInside ? relative(project, found) : isOwn || !isFree ? join(within, hoisted) : hoisted;
    if (packages.get(packed) === found) continue;
    packages.set(packed, found);
    const { dependencies: more = {}, optionalDependencies: maybe = {} } = JSON.parse(
      await readFile(join(found, "package.json"), "utf8"),
    ) as Partial<Manifest>;
    await addDependencies(
      project,
      { folder: found, packed },
      { dependencies: more, optionalDependencies: maybe },
      packages,
    );
  }
}

async function findPackage(folder: string, name: string): Promise<string | undefined> {
  for (let above = folder; ; above = dirname(above)) {
    const found = await packageAt(join(above, "node_modules", name));
    if (found !== undefined) return found;
    if (above === dirname(above)) return undefined;
  }
}

async function packageAt(path: string): Promise<string | undefined> {
  const found = await stat(join(path, "package.json")).catch((error: unknown) => {
    if (!isSystemError(error, "ENOENT", "ENOTDIR")) throw error;
  });
  return found === undefined ? undefined : await realpath(path);
}

/** Those of a folder, without the packages that are installed in it. */
async function filesBelow(root: string, folder: string, as = folder): Promise<PackedFile[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  const files = await Promise.all(
    entries.map(async ({ name }) => {
      if (name === "node_modules" || name.startsWith(".")) return [];
      const path = join(folder, name);
      const packed = as === "" ? name : `${as}/${name}`;
      if ((await stat(join(root, path))).isDirectory()) return await filesBelow(root, path, packed);
      return [{ ...(await readPacked(root, path)), path: packed }];
    }),
  );
  return files.flat();
}

async function readPacked(root: string, path: string): Promise<PackedFile> {
  const place = join(root, path);
  const [content, { mode }] = await Promise.all([readFile(place), stat(place)]);
  return { path, content, isExecutable: (mode & 0o111) !== 0 };
}

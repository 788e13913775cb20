import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { makeFolders } from "../../files/index.ts";
import { CleatError, isSystemError, toCleatError } from "../../errors/index.ts";
import { defineCommand, UsageError } from "../terminal/command.ts";
import { quote, suggest } from "../terminal/command-line.ts";
import { findNearest } from "../terminal/nearest.ts";
import { watchForInterruption } from "../terminal/interruption.ts";
import { projectFiles } from "./new/project-files.ts";
import type { ProjectTemplate } from "./new/project-template.ts";
import { authzTemplate } from "./new/templates/authz.ts";
import { ipamTemplate } from "./new/templates/ipam.ts";
import { logTemplate } from "./new/templates/log.ts";
import { metricsTemplate } from "./new/templates/metrics.ts";
import { networkTemplate } from "./new/templates/network.ts";
import { secretTemplate } from "./new/templates/secret.ts";
import { volumeTemplate } from "./new/templates/volume.ts";

/** Every kind of plugin that there is a beginning for. */
const templates: readonly ProjectTemplate[] = [
  volumeTemplate,
  networkTemplate,
  ipamTemplate,
  authzTemplate,
  logTemplate,
  secretTemplate,
  metricsTemplate,
];

export const newProject = defineCommand({
  details: [
    `KIND  ${templates.map(({ kind }) => kind).join(", ")}`,
    "NAME  what engines are to call the plugin, which is the folder's name too; small letters, digits, - _ .",
    "",
    "  cleat new volume my-volumes",
    "  cd my-volumes && npm install && npm test",
    "",
    ...templates.map(({ kind, summary }) => `${kind}: ${summary}`),
  ],
  options: {
    folder: { type: "string", value: "PATH", help: "where it goes; default ./NAME" },
  },
  async run(values, [kind = "", name = ""], context) {
    const { stdout } = context;
    const template = templates.find((one) => one.kind === kind);
    const kinds = templates.map((one) => one.kind);
    if (template === undefined) {
      const known = suggest(findNearest(kind, kinds)) || `; there is ${kinds.join(", ")}`;
      throw new UsageError(`there is no kind of plugin ${quote(kind)} to begin with${known}`);
    }
    if (!namePattern.test(name)) throw new UsageError(`${quote(name)} is not a name for a plugin: ${nameForm}`);
    if (values.folder === "") throw new UsageError('--folder takes a PATH, not ""');
    const folder = resolve(values.folder ?? name);
    const files = projectFiles(template, name, folder);
    using interruption = watchForInterruption(context);
    await writeFolder(folder, files, interruption.signal);
    stdout.write(
      `${Object.keys(files)
        .map((path) => join(folder, path))
        .join("\n")}\n`,
    );
    stdout.write(`\ncd ${relative(process.cwd(), folder) || "."} && npm install && npm test\n`);
    return "done";
  },
});

/** A plugin's name that npm takes for a package's as well. */
const namePattern = /^[a-z0-9][a-z0-9_.-]{0,63}$/;
const nameForm = 'a small letter or digit, and up to 63 more, "-", "_" and "." among them';

/**
 * Writes files into a folder that is not there or empty: all or none.
 * @throws FAILED_PRECONDITION when something is in it.
 */
async function writeFolder(
  folder: string,
  files: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const occupied = () => new CleatError("FAILED_PRECONDITION", `folder ${JSON.stringify(folder)} is not empty`);
  try {
    if ((await contentOf(folder)).length > 0) throw occupied();
    await makeFolders(dirname(folder));
    const holder = await mkdtemp(join(dirname(folder), `.${basename(folder)}-`));
    const staged = join(holder, "project"); // as others may read as whoever makes it wants
    try {
      await mkdir(staged);
      for (const [path, text] of Object.entries(files)) {
        await makeFolders(dirname(join(staged, path)));
        await writeFile(join(staged, path), text);
      }
      signal.throwIfAborted();
      await rename(staged, folder); // takes the place of an empty folder, and of no other
    } catch (error) {
      throw isSystemError(error, "ENOTEMPTY", "EEXIST") ? occupied() : error;
    } finally {
      await rm(holder, { recursive: true, force: true });
    }
  } catch (error) {
    throw toCleatError(error, `folder ${JSON.stringify(folder)}`);
  }
}

async function contentOf(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return [];
    throw error;
  }
}

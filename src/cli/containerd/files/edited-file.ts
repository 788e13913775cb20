import type { Stats } from "node:fs";
import { type FileHandle, lstat, readdir, readFile, realpath, rm, stat, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CleatError, isSystemError, toCleatError } from "../../../errors/index.ts";
import { isStagedFor, makeFile, makeFolders, replaceFile, syncFolder } from "../../../files/index.ts";

/** A configuration file of somebody else's, as it is before it is edited. */
export interface EditedFile {
  /** As it was named. */
  readonly path: string;
  /** Where it is: links are followed, so that a link stays one. */
  readonly realPath: string;
  /** `undefined` where there is no file. */
  readonly text: string | undefined;
}

/**
 * @throws FAILED_PRECONDITION when it is not a file of UTF-8, or a link that leads nowhere; NOT_FOUND is no error here.
 */
export async function readEditedFile(path: string): Promise<EditedFile> {
  const subject = `file ${JSON.stringify(path)}`;
  try {
    const realPath = await realpath(path);
    if (!(await stat(realPath)).isFile()) throw new CleatError("FAILED_PRECONDITION", `${subject} is not a file`);
    return { path, realPath, text: decode(await readFile(realPath), subject) };
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw toCleatError(error, subject);
    await assertNoLink(path, subject);
    return { path, realPath: path, text: undefined };
  }
}

/** What is written would take its place, and not stand where it leads. */
async function assertNoLink(path: string, subject: string): Promise<void> {
  const status = await lstat(path).catch(() => undefined);
  if (status?.isSymbolicLink() !== true) return;
  throw new CleatError("FAILED_PRECONDITION", `${subject} is a link that leads nowhere`);
}

function decode(bytes: Buffer, subject: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new CleatError("FAILED_PRECONDITION", `${subject} is not text in UTF-8`, { cause: error });
  }
}

export interface ReplaceTextOptions {
  /**
   * May refuse what is about to be put there, which it finds at the path that it gets: in the folder by which the file
   * is named, as what it names by relative paths is looked for from there.
   */
  readonly check?: (path: string) => Promise<void>;
  /** Keeps a copy of what was there, and says where; called once nothing refuses any more. */
  readonly keep?: () => Promise<string | undefined>;
  /** Gives up before anything is changed, once what looks at the file has ended. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Puts `text` in the file's place, durably: after a crash there is all of the old or all of the new. Mode and owner
 * stay. Returns where the copy is that was kept.
 * @throws ABORTED when somebody else has written the file meanwhile; whatever `check` does. Nothing has changed then.
 */
export async function replaceText(
  file: EditedFile,
  text: string,
  { check, keep, signal }: ReplaceTextOptions = {},
): Promise<string | undefined> {
  const { path, realPath } = file;
  let copy: string | undefined;
  try {
    if (file.text === undefined) await makeFolders(dirname(realPath));
    await removeLeftStaged(realPath);
    const likeness = await statIfThere(realPath);
    await replaceFile(realPath, (staged) => fillLike(staged, likeness, text), {
      mode: modeLike(likeness),
      async check(staged) {
        // What is interrupted may end what looks, too, which says something else of it.
        if (check !== undefined) await besideName(staged, path, check).finally(() => signal?.throwIfAborted());
        signal?.throwIfAborted();
        await assertUnchanged(file);
        copy = await keep?.();
      },
    });
    return copy;
  } catch (error) {
    if (copy !== undefined && (await isUnchanged(file))) await rm(copy, { force: true });
    throw toCleatError(error, `file ${JSON.stringify(path)}`);
  }
}

/** Has `use` find what is staged in the folder of `path`, also where that is a link to a file elsewhere. */
async function besideName(staged: string, path: string, use: (path: string) => Promise<void>): Promise<void> {
  const folder = dirname(path);
  if ((await realpath(folder)) === (await realpath(dirname(staged)))) return use(staged);
  const link = join(folder, basename(staged));
  await symlink(staged, link);
  try {
    await use(link);
  } finally {
    await rm(link);
  }
}

/** A check takes seconds; what is older a call has left that was killed. */
const stagedPatienceMs = 60_000;

async function removeLeftStaged(realPath: string): Promise<void> {
  const folder = dirname(realPath);
  for (const name of await readdir(folder)) {
    if (!isStagedFor(realPath, name)) continue;
    const staged = join(folder, name);
    const status = await statIfThere(staged);
    if (status !== undefined && Date.now() - status.mtimeMs > stagedPatienceMs) await rm(staged, { force: true });
  }
}

/** Removes a file that Cleat made, and on which nobody else has written since. */
export async function removeEditedFile(file: EditedFile): Promise<void> {
  await assertUnchanged(file);
  await rm(file.realPath);
  await syncFolder(dirname(file.realPath));
}

/**
 * Keeps what was read beside the file, under a name that no earlier copy has; an empty one tells that there was no
 * file.
 */
export async function keepCopy({ realPath, text }: EditedFile): Promise<string> {
  for (let number = 1; ; number++) {
    const copy = copyName(realPath, number);
    try {
      const likeness = await statIfThere(realPath);
      await makeFile(copy, (file) => fillLike(file, likeness, text ?? ""), modeLike(likeness));
      return copy;
    } catch (error) {
      if (!isSystemError(error, "EEXIST")) throw toCleatError(error, `copy ${JSON.stringify(copy)}`);
    }
  }
}

/** The last copy that was kept of a file, of those that are as `isIt` says; `undefined` where there is none. */
export async function readLastCopy(
  { realPath }: EditedFile,
  isIt: (text: string) => boolean = () => true,
): Promise<EditedFile | undefined> {
  let last: EditedFile | undefined;
  for (let number = 1; ; number++) {
    const copy = await readEditedFile(copyName(realPath, number));
    if (copy.text === undefined) return last;
    if (isIt(copy.text)) last = copy;
  }
}

/** `config.toml.before-cleat`, `config.toml.before-cleat.2` … */
export function copyName(path: string, number: number): string {
  return `${path}.before-cleat${number === 1 ? "" : `.${number}`}`;
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Nobody else opens a new file before it has the owner of the one that it is to be like. */
function modeLike(likeness: Stats | undefined): number {
  return likeness === undefined ? 0o644 : 0o600;
}

async function fillLike(file: FileHandle, likeness: Stats | undefined, text: string): Promise<void> {
  if (likeness !== undefined) {
    await file.chown(likeness.uid, likeness.gid);
    await file.chmod(likeness.mode & 0o7777);
  }
  await file.writeFile(text);
}

async function isUnchanged(file: EditedFile): Promise<boolean> {
  return assertUnchanged(file).then(
    () => true,
    () => false,
  );
}

async function assertUnchanged({ path, text }: EditedFile): Promise<void> {
  if ((await readEditedFile(path)).text === text) return;
  throw new CleatError(
    "ABORTED",
    `file ${JSON.stringify(path)} was written by somebody else meanwhile; run this again`,
  );
}

import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CleatError, isSystemError, toCleatError } from "../../../errors/index.ts";

/** A configuration file of somebody else's, as it is before it is edited. */
export interface EditedFile {
  /** As it was named. */
  readonly path: string;
  /** Where it is: links are followed, so that a link stays one. */
  readonly realPath: string;
  /** `undefined` where there is no file. */
  readonly text: string | undefined;
}

/** @throws FAILED_PRECONDITION when it is not a file of UTF-8; NOT_FOUND is no error here. */
export async function readEditedFile(path: string): Promise<EditedFile> {
  const subject = `file ${JSON.stringify(path)}`;
  try {
    const realPath = await realpath(path);
    if (!(await stat(realPath)).isFile()) throw new CleatError("FAILED_PRECONDITION", `${subject} is not a file`);
    return { path, realPath, text: decode(await readFile(realPath), subject) };
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return { path, realPath: path, text: undefined };
    throw toCleatError(error, subject);
  }
}

function decode(bytes: Buffer, subject: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new CleatError("FAILED_PRECONDITION", `${subject} is not text in UTF-8`, { cause: error });
  }
}

/**
 * Puts `text` in the file's place, durably: after a crash there is all of the old or all of the new. Mode and owner
 * stay. `check` may refuse what is about to be put there, which it finds at the path that it gets, in the same folder.
 * @throws ABORTED when somebody else has written the file meanwhile; whatever `check` does. Nothing has changed then.
 */
export async function replaceText(
  file: EditedFile,
  text: string,
  check?: (path: string) => Promise<void>,
): Promise<void> {
  const { realPath } = file;
  const staged = join(dirname(realPath), `.${basename(realPath)}.${randomUUID()}.tmp`);
  try {
    if (file.text === undefined) await mkdir(dirname(realPath), { recursive: true });
    await writeNew(staged, realPath, text);
    await check?.(staged);
    await assertUnchanged(file);
    await rename(staged, realPath);
  } catch (error) {
    await rm(staged, { force: true });
    throw toCleatError(error, `file ${JSON.stringify(file.path)}`);
  }
  await syncFolder(dirname(realPath));
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
      await writeNew(copy, realPath, text ?? "");
      await syncFolder(dirname(copy));
      return copy;
    } catch (error) {
      if (!isSystemError(error, "EEXIST")) throw toCleatError(error, `copy ${JSON.stringify(copy)}`);
    }
  }
}

/** The last copy that was kept of a file; `undefined` where there is none. */
export async function readLastCopy({ realPath }: EditedFile): Promise<EditedFile | undefined> {
  let last: EditedFile | undefined;
  for (let number = 1; ; number++) {
    const copy = await readEditedFile(copyName(realPath, number));
    if (copy.text === undefined) return last;
    last = copy;
  }
}

/** `config.toml.before-cleat`, `config.toml.before-cleat.2` … */
export function copyName(path: string, number: number): string {
  return `${path}.before-cleat${number === 1 ? "" : `.${number}`}`;
}

/** With the mode and the owner of the file at `realPath`, where there is one. */
async function writeNew(path: string, realPath: string, text: string): Promise<void> {
  const status = await stat(realPath).catch((error: unknown) => {
    if (!isSystemError(error, "ENOENT")) throw error;
  });
  await using file = await open(path, "wx", status === undefined ? 0o644 : 0o600);
  if (status !== undefined) {
    await file.chown(status.uid, status.gid);
    await file.chmod(status.mode & 0o7777);
  }
  await file.writeFile(text);
  await file.sync();
}

async function assertUnchanged({ path, text }: EditedFile): Promise<void> {
  if ((await readEditedFile(path)).text === text) return;
  throw new CleatError(
    "ABORTED",
    `file ${JSON.stringify(path)} was written by somebody else meanwhile; run this again`,
  );
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}

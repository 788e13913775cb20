import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { CleatError, isSystemError, toCleatError } from "../../errors/index.ts";
import { maxTimerMs } from "../../transport/index.ts";
import { fillFromArchive } from "../../volumedrivers/index.ts";
import { defineCommand, UsageError } from "../terminal/command.ts";
import { fillNewVolume } from "./fill-volume.ts";
import { type FoundVolumes, findVolumes, placeOptions } from "./find-volumes.ts";
import { watchForInterruption } from "../terminal/interruption.ts";

export const restore = defineCommand({
  details: [
    "Reads stdin, or a file: what cleat volumes backup wrote, or any tar archive that is not compressed.",
    "  cleat volumes restore data --input data.tar",
    "  zstd -dc data.tar.zst | cleat volumes restore data --opt size=10g",
    "",
    "After a failure, when it is interrupted, and after kill -9 of it or of the driver, there is no volume of that",
    "name. Of volumes that hosts share, and of a driver that is none of Cleat's, one may be left after kill -9 that is",
    "in use by one mount until the machine starts anew. Such a driver may also refuse to remove what is half restored,",
    "or to unmount it: the message says what is left.",
  ],
  options: {
    ...placeOptions,
    input: { type: "string", value: "FILE", help: "read this; default stdin" },
    opt: { type: "string", short: "o", multiple: true, value: "NAME=VALUE", help: "an option of the new volume" },
  },
  async run({ input, opt = [], ...place }, [name = ""], context) {
    const { stdin } = context;
    if (input === undefined && stdin.isTTY === true) {
      throw new UsageError("a backup is a tar archive; give it on stdin, or with --input FILE");
    }
    const options = Object.fromEntries(opt.map(readOption));
    await using volumes = await findVolumes(place, context);
    using interruption = watchForInterruption(context);
    const { signal } = interruption;
    const archive = input === undefined ? stdin : await openArchive(input);
    const fill = fillFromArchive(name, archive, { signal });
    const { managed, driver } = volumes;
    if (managed !== undefined) await managed.createFilled(name, { options }, fill, { signal });
    else if (!(await restoreByTools(volumes, name, options, archive, signal))) {
      await fillNewVolume(name, options, driver, fill);
    }
    return "done";
  },
});

/** Seen before anything is made. */
async function openArchive(path: string): Promise<Readable> {
  const shown = JSON.stringify(path);
  const file = await open(path).catch((error: unknown) => {
    if (!isSystemError(error, "ENOENT", "ENOTDIR")) throw toCleatError(error, `file ${shown}`);
    throw new CleatError("NOT_FOUND", `there is no file ${shown}`, { cause: error });
  });
  if (!(await file.stat()).isDirectory()) return file.createReadStream();
  await file.close();
  throw new CleatError("FAILED_PRECONDITION", `${shown} is a folder, and no archive that backup wrote`);
}

function readOption(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`--opt takes NAME=VALUE, not "${text}"`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Resolves to false where the driver cannot, and nothing of the archive was read. */
async function restoreByTools(
  { tools }: FoundVolumes,
  name: string,
  options: Readonly<Record<string, string>>,
  archive: Readable,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const { restore: whole } = await tools();
    if (whole === undefined) return false;
    // A disk may take long to have all of it, and the driver says nothing until then.
    await whole(name, { options }, archive, { signal, timeoutMs: maxTimerMs });
    return true;
  } catch (error) {
    if (toCleatError(error).code !== "UNIMPLEMENTED" || archive.readableDidRead) throw error;
    return false;
  }
}

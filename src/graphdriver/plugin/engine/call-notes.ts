/**
 * Calls in flight, written down for the process that comes after this one, in `<folder>/in-flight`:
 *
 *     slots of 256 bytes, each the id of a layer and a NUL; one that begins with a NUL is free
 *
 * To write a slot and free it costs a twentieth of what it costs to make a file and remove it. A slot lies in one page
 * of the kernel's, so that a process that is killed has written it whole or not at all. Files of an earlier form,
 * `<folder>/<number>.<id>`, one for each call, become slots when they are read.
 */
import { closeSync, constants, mkdirSync, openSync, readdirSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { isSystemError } from "../../../errors/index.ts";
import type { Logger } from "../../../transport/index.ts";
import { layerIdPattern } from "../../layer-id.ts";

/** One call; freed once, whatever has become of its slot since. */
export interface CallNote {
  readonly id: string;
  readonly slot: number;
}

export interface CallNotes {
  /** What is written down, by whichever process. Notes that were handed out before are nobody's from here on. */
  readAll(): readonly CallNote[];
  /** What cannot be written down, on a full disk, is of this process alone. */
  write(id: string): CallNote;
  remove(note: CallNote): void;
  /** Nothing is written from here on: the file may be the next process's. */
  close(): void;
}

/** More than the longest id of a layer. */
const slotBytes = 256;

const fileName = "in-flight";

/** `folder` is made when something is written; without it nothing is. */
export function createCallNotes(folder: string | undefined, logger: Logger): CallNotes {
  const path = `${folder}/${fileName}`;
  const taken: (CallNote | undefined)[] = [];
  const text = Buffer.alloc(slotBytes);
  let file: number | undefined;
  let isClosed = false;

  /** Whether it is written. */
  function save({ slot }: CallNote, id: string, problem: string): boolean {
    if (folder === undefined || isClosed) return false;
    try {
      file ??= openFile(folder, path);
      const sizeBytes = text.write(`${id}\0`, "latin1");
      writeSync(file, text, 0, sizeBytes, slot * slotBytes);
      return true;
    } catch (error) {
      logger.debug({ err: error, layer: id }, problem);
      return false;
    }
  }

  function take(id: string): CallNote {
    const free = taken.indexOf(undefined);
    const note = { id, slot: free < 0 ? taken.length : free };
    taken[note.slot] = note;
    return note;
  }

  /** A process that is killed between the two leaves a doubt too many. */
  function takeOver(former: string, id: string): void {
    if (!save(take(id), id, "a call in flight could not be written down anew")) return;
    try {
      unlinkSync(former);
    } catch (error) {
      logger.debug({ err: error, layer: id }, "a call in flight is written down twice");
    }
  }

  return {
    readAll() {
      const found = folder === undefined ? taken.map((note) => note?.id) : readSlots(path);
      taken.splice(0, taken.length, ...found.map((id, slot) => (id === undefined ? undefined : { id, slot })));
      if (folder !== undefined) for (const { name, id } of readFormer(folder)) takeOver(`${folder}/${name}`, id);
      return taken.filter((note) => note !== undefined);
    },
    write(id) {
      const note = take(id);
      save(note, id, "a call in flight could not be written down");
      return note;
    },
    remove(note) {
      if (taken[note.slot] !== note) return;
      taken[note.slot] = undefined;
      save(note, "", "a call that was answered could not be struck out");
    },
    close() {
      isClosed = true;
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

function openFile(folder: string, path: string): number {
  const open = (): number => openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    return open();
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw error;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return open();
  }
}

/** Files of the earlier form. */
function readFormer(folder: string): { readonly name: string; readonly id: string }[] {
  return readNames(folder).flatMap((name) => {
    const [, id = ""] = /^\d+\.(.+)$/.exec(name) ?? [];
    return layerIdPattern.test(id) ? [{ name, id }] : [];
  });
}

function readNames(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}

/** The id in each slot; `undefined` in one that is free. */
function readSlots(path: string): (string | undefined)[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
  return Array.from({ length: Math.ceil(bytes.length / slotBytes) }, (_, slot) => {
    const [id = ""] = bytes.toString("latin1", slot * slotBytes, (slot + 1) * slotBytes).split("\0", 1);
    return layerIdPattern.test(id) ? id : undefined;
  });
}

/**
 * Calls in flight, written down for the process that comes after this one, in `<folder>/in-flight`:
 *
 *     slots of 256 bytes, each the id of a layer and a NUL; one that begins with a NUL is free
 *
 * To write a slot and free it costs a twentieth of what it costs to make a file and remove it. A slot lies in one page
 * of the kernel's, so that a process that is killed has written it whole or not at all.
 */
import { closeSync, constants, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
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

  function save({ slot }: CallNote, id: string, problem: string): void {
    if (folder === undefined) return;
    try {
      file ??= openFile(folder, path);
      const sizeBytes = text.write(`${id}\0`, "latin1");
      writeSync(file, text, 0, sizeBytes, slot * slotBytes);
    } catch (error) {
      logger.debug({ err: error, layer: id }, problem);
    }
  }

  return {
    readAll() {
      const found = folder === undefined ? taken.map((note) => note?.id) : readSlots(path);
      taken.splice(0, taken.length, ...found.map((id, slot) => (id === undefined ? undefined : { id, slot })));
      return taken.filter((note) => note !== undefined);
    },
    write(id) {
      const free = taken.indexOf(undefined);
      const note = { id, slot: free < 0 ? taken.length : free };
      taken[note.slot] = note;
      save(note, id, "a call in flight could not be written down");
      return note;
    },
    remove(note) {
      if (taken[note.slot] !== note) return;
      taken[note.slot] = undefined;
      save(note, "", "a call that was answered could not be struck out");
    },
    close() {
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

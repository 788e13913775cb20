/**
 * Two threads that copy a tree: the one that walks it hands the files of one folder after the other to the one beside
 * it, whenever that has nothing to do, and copies those of the next meanwhile. What they share is the folder's two
 * descriptors, which are the process's, and a few words of memory.
 *
 *     walker   makes folders │ copies files of folder 1 │ copies files of folder 3 … │ gives folder 2 its attributes …
 *     helper                 │ copies files of folder 2 ……………………………………………………………… │ folder 5 …
 */
import { CleatError, isSystemError, SystemError } from "../../errors/index.ts";
import {
  type BesideState,
  createBesideState,
  hasAskerEnded,
  hasHelperEnded,
  watchForCancellation,
} from "../../syscall/index.ts";

/** Clones by reference. */
export interface CopyQueue {
  readonly state: BesideState;
  readonly control: Int32Array<SharedArrayBuffer>;
}

/** Asks for a thread that calls `copyFolders` with a queue; whether one comes is not said. */
export type AskCopyHelp = (queue: CopyQueue) => void;

const word = {
  /** How many folders were handed on, and how many of those are done. */
  handed: 0,
  done: 1,
  /** The folder that is read, and the one that is filled. */
  source: 2,
  target: 3,
  /** 1 once there is a helper, 2 where none is to begin any more. */
  helper: 4,
  /** 1 where the rest is not wanted: the walker failed, or was given up. */
  unwanted: 5,
  /** 1 where the walker is done. */
  ended: 6,
  /** 1 where files are left to the walker. */
  hasLeft: 7,
  /** Bytes of the failure's text, which follows; 0 where the folder was copied. */
  failureBytes: 8,
} as const;

const failureAt = 9;
/** Of names and messages; each character may become six bytes. */
const maxText = 255;
const maxFailureBytes = 4096;
const helperStates = { none: 0, there: 1, tooLate: 2 } as const;

/** How soon each looks by itself whether the other has died, who would have woken it. */
const lookMs = 100;

export function createCopyQueue(): CopyQueue {
  return {
    state: createBesideState(),
    control: new Int32Array(new SharedArrayBuffer(failureAt * 4 + maxFailureBytes)),
  };
}

/** The walker's end. */
export interface CopyHelper {
  /** Whether there is one, and it has nothing to do. */
  isFree(): boolean;
  /** Both descriptors stay open until `take`. */
  hand(source: number, target: number): void;
  /**
   * Waits until the folder is done that was handed on last, and tells whether files are left to copy.
   * @throws what copying it failed with; INTERNAL when the helper's thread died.
   */
  take(): { readonly hasLeft: boolean };
  /** Lets go of it. Whoever has not called `take` closes no descriptor before this. */
  end(): void;
}

export function createCopyHelper({ control, state }: CopyQueue): CopyHelper {
  const isBusy = (): boolean => Atomics.load(control, word.handed) !== Atomics.load(control, word.done);

  function waitUntilDone(): void {
    for (let done = Atomics.load(control, word.done); isBusy(); done = Atomics.load(control, word.done)) {
      if (hasHelperEnded(state) && isBusy()) throw new CleatError("INTERNAL", "thread that copies files died");
      Atomics.wait(control, word.done, done, lookMs);
    }
  }

  return {
    isFree: () => Atomics.load(control, word.helper) === helperStates.there && !isBusy(),
    hand(source, target) {
      Atomics.store(control, word.source, source);
      Atomics.store(control, word.target, target);
      Atomics.add(control, word.handed, 1);
      Atomics.notify(control, word.handed);
    },
    take() {
      waitUntilDone();
      const failure = readFailure(control);
      if (failure !== undefined) throw failure;
      return { hasLeft: Atomics.load(control, word.hasLeft) === 1 };
    },
    end() {
      Atomics.store(control, word.unwanted, 1);
      Atomics.store(control, word.ended, 1);
      Atomics.compareExchange(control, word.helper, helperStates.none, helperStates.tooLate);
      Atomics.notify(control, word.handed);
      try {
        waitUntilDone();
      } catch {
        // Its thread is dead, and uses no descriptor any more.
      }
    },
  };
}

/** What is to be done with a folder's files; whether some of them are left to the walker. */
export type CopyFolderFiles = (source: number, target: number) => { readonly hasLeft: boolean };

/**
 * The helper's end: copies what it is handed until the walker ends. Blocks; one who gives up the
 * walker gives up what it does.
 */
export function serveCopies({ control, state }: CopyQueue, copyFiles: CopyFolderFiles): void {
  const before = Atomics.compareExchange(control, word.helper, helperStates.none, helperStates.there);
  if (before !== helperStates.none) return;
  watchForCancellation(control.subarray(word.unwanted));
  const isOver = (): boolean => Atomics.load(control, word.ended) === 1 || hasAskerEnded(state);
  for (let done = 0; ;) {
    if (Atomics.load(control, word.handed) === done) {
      if (isOver()) return;
      Atomics.wait(control, word.handed, done, lookMs);
      continue;
    }
    let failure: unknown;
    try {
      const { hasLeft } = copyFiles(Atomics.load(control, word.source), Atomics.load(control, word.target));
      Atomics.store(control, word.hasLeft, hasLeft ? 1 : 0);
    } catch (error) {
      failure = error;
    }
    tellFailure(control, failure);
    done = Atomics.add(control, word.done, 1) + 1;
    Atomics.notify(control, word.done);
  }
}

/** An error in a form that crosses threads. */
interface Told {
  readonly code: string;
  readonly message: string;
  readonly errno?: number;
  readonly syscall?: string;
  readonly path?: string | undefined;
}

function tellFailure(control: Int32Array<SharedArrayBuffer>, error: unknown): void {
  const bytes = error === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(tellOf(error as Error)));
  failureText(control).set(bytes.subarray(0, maxFailureBytes));
  Atomics.store(control, word.failureBytes, Math.min(bytes.length, maxFailureBytes));
}

function tellOf(error: Error): Told {
  const message = error.message.slice(0, maxText);
  if (!isSystemError(error)) return { code: error instanceof CleatError ? error.code : "INTERNAL", message };
  const { code, errno, syscall, path } = error;
  return { code, message, errno: Math.abs(errno), syscall, path: path?.slice(0, maxText) };
}

function readFailure(control: Int32Array<SharedArrayBuffer>): Error | undefined {
  const length = Atomics.load(control, word.failureBytes);
  if (length === 0) return undefined;
  const { code, message, errno, syscall, path } = JSON.parse(
    Buffer.from(failureText(control).slice(0, length)).toString(),
  ) as Told;
  if (errno !== undefined) return new SystemError(errno, syscall ?? "", path);
  return new CleatError(code as ConstructorParameters<typeof CleatError>[0], message);
}

function failureText(control: Int32Array<SharedArrayBuffer>): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(control.buffer, failureAt * 4, maxFailureBytes);
}

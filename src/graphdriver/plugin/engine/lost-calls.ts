/**
 * Calls that were lost with an earlier process of the plugin, in the middle of them, and what an engine makes of that:
 * a mount too many is unmounted when the engine shuts down or removes the layer, a mount too few is files lost. So
 * where nobody knows, a layer stays mounted, and an archive is refused.
 *
 * - Docker's client sends a call again when its connection breaks, with what its reader still holds: of a call in JSON
 *   nothing, of an archive the rest; other clients send all of it again. Whether the first one has taken effect, none
 *   of them knows.
 * - An engine that starts a container gives back a layer whose `Get` it takes for failed, too, and with that what
 *   somebody else holds; one that copies files does not. Source: moby v20.10.24 and v26.1.5 `layer/mounted_layer.go`,
 *   `Mount`, which counts first, and `daemon/start.go`, `Cleanup`.
 * - A failed `Put` has Docker unmount the layer itself, behind the plugin (`cleanupMountsByID` there); so a `Put` that
 *   has lost its layer's name on the way is answered, and gives nothing back.
 *
 * Each `Get` and `Put` in flight is written down (`call-notes.ts`) until its answer is out; so is a `Get` that has
 * failed. What an earlier process left there, for an engine that runs still, is a doubt: one `Put` of that layer is
 * left out for each. Nothing is synced, as mounts do not survive the machine.
 */
import { CleatError } from "../../../errors/index.ts";
import type { Logger } from "../../../transport/index.ts";
import { type CallNote, createCallNotes } from "./call-notes.ts";

export interface LostCalls {
  /** A store was opened. `resume`: for an engine that runs still, whose calls an earlier process had. */
  opened(resume: boolean): void;
  created(id: string): void;
  removed(id: string): void;
  /**
   * @throws FAILED_PRECONDITION when what is sent for a layer may be the rest of an archive, the beginning of which an
   * earlier process was sent: the layer was created before this one resumed.
   */
  assertWholeArchive(id: string): void;
  get<T>(id: string, run: () => Promise<T>): Promise<T>;
  /** A `Get` came without its layer: it was lost before anything of it was written down, and may be of any of these. */
  getLost(mounted: Iterable<string>): void;
  put(id: string, run: () => Promise<void>): Promise<void>;
  /** What is written down stays. */
  close(): void;
}

export interface LostCallsOptions {
  /** Made when something is written. Without it this process alone knows. */
  readonly folder: string | undefined;
  readonly logger: Logger;
}

/**
 * Of one layer. Nobody sends as many by losing them: a layer with so many stays mounted until it is removed or the
 * engine is another, whatever is given back, so that no number of failing calls fills memory and disk.
 */
const maxDoubts = 64;

export function createLostCalls({ folder, logger }: LostCallsOptions): LostCalls {
  const notes = createCallNotes(folder, logger);
  /** The notes of each layer that are nobody's any more. */
  const doubts = new Map<string, CallNote[]>();
  let resumed = false;
  const createdHere = new Set<string>();

  const doubt = (note: CallNote) => {
    const known = doubts.get(note.id) ?? [];
    if (known.length < maxDoubts) doubts.set(note.id, [...known, note]);
    else notes.remove(note);
  };

  return {
    opened(resume) {
      resumed = resume;
      createdHere.clear();
      doubts.clear();
      for (const note of notes.readAll()) {
        if (resume) doubt(note);
        else notes.remove(note);
      }
    },

    created: (id) => void createdHere.add(id),

    removed(id) {
      createdHere.delete(id);
      for (const note of doubts.get(id) ?? []) notes.remove(note);
      doubts.delete(id);
    },

    assertWholeArchive(id) {
      if (!resumed || createdHere.has(id)) return;
      const why = "was created before this plugin was started anew, and what is sent may be the rest of an archive";
      throw new CleatError("FAILED_PRECONDITION", `layer "${id}" ${why}; remove it, create it and send all of it`);
    },

    async get(id, run) {
      const note = notes.write(id);
      try {
        const answer = await run();
        whenAnswered(() => notes.remove(note));
        return answer;
      } catch (error) {
        if (isOfNoLayer(error)) notes.remove(note);
        else doubt(note);
        throw error;
      }
    },

    getLost(mounted) {
      for (const id of mounted) doubt(notes.write(id));
    },

    async put(id, run) {
      const [doubted, ...rest] = doubts.get(id) ?? [];
      if (doubted === undefined) {
        const note = notes.write(id);
        try {
          return await run();
        } finally {
          whenAnswered(() => notes.remove(note));
        }
      }
      const stays = rest.length + 1 === maxDoubts;
      if (!stays && rest.length > 0) doubts.set(id, rest);
      else if (!stays) doubts.delete(id);
      logger.warn(
        { layer: id },
        "not given back, as a call was lost and nobody knows whether it is held; it stays mounted",
      );
      if (!stays) whenAnswered(() => notes.remove(doubted));
    },

    close: () => notes.close(),
  };
}

/** Nobody holds such a layer. */
function isOfNoLayer(error: unknown): boolean {
  return error instanceof CleatError && (error.code === "NOT_FOUND" || error.code === "INVALID_ARGUMENT");
}

/** An answer is handed to the kernel in the turn of the event loop in which its call ends. */
function whenAnswered(act: () => void): void {
  setImmediate(act);
}

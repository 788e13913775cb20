import { readFile } from "node:fs/promises";
import { z } from "zod";
import { CleatError, isSystemError, toCleatError } from "../../errors/index.ts";
import { replaceFile } from "../../files/index.ts";
import { type Logger, silentLogger } from "../../transport/index.ts";
import { quoteName } from "../names-and-labels.ts";
import { parseVersioned } from "../../state/kit.ts";
import type { Snapshotter } from "../snapshotter.ts";

/**
 * The one name by which containerd knows a snapshotter. Its collector lists what is there, and removes all that it does
 * not know under that name: of two names for the same snapshots each would lose what it has to the other. Source:
 * containerd v1.6.20 and v2.1.9 `metadata/snapshot.go` garbageCollect.
 */
export interface ServedName {
  /**
   * Runs `change` in this name. One that is new is taken while there are no snapshots of another, and none is begun.
   * @throws FAILED_PRECONDITION when there are, or what is kept is a later version's; what the disk says that does not
   * give it.
   */
  within<T>(name: string, change: () => Promise<T>): Promise<T>;
}

export interface ServedNameOptions {
  /**
   * Where it is kept, and beside it, in `served-to.json`, which engine changes the snapshots; without it, both are
   * known as long as this process runs.
   */
  readonly file?: string | undefined;
  readonly logger?: Logger | undefined;
}

const storedName = z.strictObject({ version: z.literal(1), snapshotter: z.string().min(1) });
/** Of a name in containerd's configuration. */
const maxNameLength = 1_024;

export function createServedName(
  snapshotter: Pick<Snapshotter, "list">,
  { file, logger = silentLogger }: ServedNameOptions = {},
): ServedName {
  let known: string | undefined;
  /** Changes in the known name that run. */
  let running = 0;
  let reading: Promise<void> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const read = async () => {
    try {
      known =
        file === undefined ? undefined : parseVersioned(await readFile(file, "utf8"), storedName, file).snapshotter;
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return;
      if (isSystemError(error) || error instanceof CleatError) {
        reading = undefined; // a disk may fail for a moment
        throw toCleatError(error, "name of the snapshotter");
      }
      logger.warn({ err: error, file }, "by what name the snapshotter was served cannot be read; the next is taken");
    }
  };
  const holdsSnapshots = async (): Promise<boolean> => {
    for await (const _ of snapshotter.list()) return true;
    return false;
  };
  const isInUse = async () => running > 0 || (await holdsSnapshots()) || running > 0; // begun meanwhile
  const take = async (name: string) => {
    await (reading ??= read());
    if (known !== undefined && known !== name && (await isInUse())) throw otherName(known, name);
    running++; // in this turn, as what is asked for next may be in another name
    if (known === name) return;
    known = name;
    if (file === undefined) return;
    const text = `${JSON.stringify({ version: 1, snapshotter: name } satisfies z.input<typeof storedName>)}\n`;
    await replaceFile(file, (staged) => staged.writeFile(text), { mode: 0o600 }).catch((error: unknown) => {
      // On a full disk what makes room must be done all the same.
      logger.warn({ err: error, file }, "by what name the snapshotter is served is not kept until it is started again");
    });
  };

  return {
    async within(name, change) {
      if (name === "") return change(); // who names none is no containerd
      if (name.length > maxNameLength) throw new CleatError("INVALID_ARGUMENT", "name of the snapshotter is too long");
      if (name === known) running++;
      else {
        const taken = last.then(() => take(name));
        last = taken.catch(() => {}); // its own caller is told
        await taken;
      }
      try {
        return await change();
      } finally {
        running--;
      }
    },
  };
}

function otherName(known: string, name: string): CleatError {
  const message =
    `these are the snapshots of ${quoteName(known)}, all of which containerd's collector would remove under the name ` +
    `${quoteName(name)}: give that a root and a socket of its own, or remove them first`;
  return new CleatError("FAILED_PRECONDITION", message);
}

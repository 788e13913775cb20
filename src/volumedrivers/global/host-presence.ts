import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CleatError, isSystemError, quoteText, toCleatError } from "../../errors/index.ts";
import { syncFolder } from "../../files/index.ts";
import type { Etcd } from "./etcd.ts";
import type { ThisHost } from "./shared-records.ts";

/** How long others take a host that is not heard from for one that is, in seconds. */
const leaseSeconds = 30;

const noteSchema = z.strictObject({ version: z.literal(1), id: z.string(), lease: z.string().optional() });
type HostNote = z.output<typeof noteSchema>;

/** Lets other hosts know that this one is there, by a key that goes when it is not heard from. */
export interface HostPresence {
  /** @throws FAILED_PRECONDITION when another process is this host. @throws UNAVAILABLE */
  keep(): Promise<void>;
  /** Lets others know that it goes. */
  leave(): Promise<void>;
}

/** Who this host is: by an id of its own, made when its folder is. */
export async function readHost(folder: string, name: string): Promise<ThisHost> {
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const { id } = (await readNote(folder)) ?? (await writeNote(folder, { version: 1, id: randomUUID() }));
  return { id, name };
}

export function createHostPresence(etcd: Etcd, prefix: string, folder: string, { id, name }: ThisHost): HostPresence {
  const key = `${prefix}/hosts/${id}`;
  const value = JSON.stringify({ name });

  const enter = async () => {
    const there = await etcd.get(key);
    const note = await readNote(folder);
    if (there !== undefined && there.lease === note?.lease && (await etcd.keepLease(there.lease))) return;
    const lease = await etcd.grantLease(leaseSeconds);
    // Noted before it is seen: the process after this one knows it for its own.
    if (there === undefined) {
      await writeNote(folder, { version: 1, id, lease });
      if (await etcd.change([{ nothingAt: key }], [{ put: key, value, lease }])) return;
    }
    await etcd.revokeLease(lease).catch(() => {}); // ends by itself
    const message = `another process is host ${quoteText(name)} (${id}), which is this folder's: is "${folder}" a copy?`;
    throw new CleatError("FAILED_PRECONDITION", message);
  };

  const keep = async () => {
    const lease = (await readNote(folder))?.lease;
    const isKept = lease !== undefined && (await etcd.keepLease(lease)) && (await etcd.get(key))?.lease === lease;
    if (!isKept) await enter();
  };
  /** Of many who ask at once one does it: two would take each other for another process. */
  let keeping: Promise<void> | undefined;

  return {
    keep: () => (keeping ??= keep().finally(() => (keeping = undefined))),
    async leave() {
      const lease = (await readNote(folder))?.lease;
      if (lease === undefined) return;
      try {
        await etcd.revokeLease(lease);
      } catch (error) {
        if (toCleatError(error).code !== "NOT_FOUND") throw error;
      }
    },
  };
}

const noteIn = (folder: string): string => join(folder, "host.json");

async function readNote(folder: string): Promise<HostNote | undefined> {
  try {
    return noteSchema.parse(JSON.parse(await readFile(noteIn(folder), "utf8")));
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw new CleatError("DATA_LOSS", `"${noteIn(folder)}" is not what was written there`, { cause: error });
  }
}

async function writeNote(folder: string, note: HostNote): Promise<HostNote> {
  const path = noteIn(folder);
  {
    await using file = await open(`${path}.new`, "w", 0o600);
    await file.writeFile(JSON.stringify(note));
    await file.sync();
  }
  await rename(`${path}.new`, path);
  await syncFolder(folder);
  return note;
}

/**
 * Lets other hosts know that this one is there, by a key that goes when it is not heard from.
 *
 * A folder says which host it is, and folders are copied, with their machines too. So each process has a nonce of its
 * own, which the host's key holds: it takes the key where nobody has it, or from the process that had this very folder
 * before it in this boot of the machine. Whoever finds another's nonce there is not the host, and mounts nothing. What
 * is changed in the host's name is changed only as long as the key is as this process has written it.
 */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { CleatError, quoteText, toCleatError } from "../../errors/index.ts";
import type { Etcd, EtcdCondition, EtcdEntry } from "./etcd.ts";
import { assertNoCopy, type HostPlace, notePath, readNote, readPlace, writeNote } from "./host-note.ts";
import type { ThisHost } from "./shared-records.ts";

/** How long others take a host that is not heard from for one that is, in seconds. */
const leaseSeconds = 30;

const keySchema = z.object({ name: z.string(), nonce: z.string() });

/** That this process is the host: for each change that is made in its name. */
export type HostClaim = Extract<EtcdCondition, { readonly unchanged: unknown }>;

export interface HostPresence {
  /** Asks etcd. @throws FAILED_PRECONDITION when another process is this host. @throws UNAVAILABLE */
  keep(): Promise<HostClaim>;
  /** As `keep` found it last; etcd is asked only where it did not yet. */
  claim(): Promise<HostClaim>;
  /** Asks nobody. @throws FAILED_PRECONDITION when another process was found to be this host. */
  assertNoOther(): void;
  /** Lets others know that it goes. */
  leave(): Promise<void>;
}

/** Who this host is: by an id of its own, made when its folder is. */
export async function readHost(folder: string, name: string): Promise<ThisHost> {
  const { id } = await readNote(folder);
  return { id, name };
}

/** For whoever has the folder's volumes open: no other process has them. `place`: where the folder is. */
export function createHostPresence(
  etcd: Etcd,
  prefix: string,
  folder: string,
  { id, name }: ThisHost,
  place: () => Promise<HostPlace> = () => readPlace(folder),
): HostPresence {
  const key = `${prefix}/hosts/${id}`;
  const nonce = randomUUID();
  const value = JSON.stringify({ name, nonce });
  let entry: EtcdEntry | undefined;
  /** From then on nobody's key is taken: what was before this process is gone. */
  let hasEntered = false;
  let refusal: CleatError | undefined;

  const refuse = (): never => {
    const message =
      `another process is host ${quoteText(name)} (${id}), which is this folder's: is "${folder}" a copy? ` +
      `One from before a reboot is forgotten after ${leaseSeconds} s; ` +
      `without "${notePath(folder)}" this is a host of its own`;
    throw new CleatError("FAILED_PRECONDITION", message);
  };
  const enter = async (): Promise<EtcdEntry> => {
    const [note, here] = [await readNote(folder), await place()];
    assertNoCopy(folder, note, here);
    const there = await etcd.get(key);
    const seen = there && readNonce(there);
    const isFirst = !hasEntered && note.place.boot === here.boot && here.boot !== "";
    const isOurs = seen === nonce || (isFirst && seen !== undefined && note.nonces.includes(seen));
    if (there !== undefined && !isOurs) return refuse();
    const lease = await etcd.grantLease(leaseSeconds);
    // Noted before it is seen: the process after this one knows it for its own, killed before the change or behind it.
    const nonces = seen === undefined || seen === nonce ? [nonce] : [seen, nonce];
    await writeNote(folder, { ...note, id, place: here, nonces, lease });
    const condition = there === undefined ? { nothingAt: key } : { unchanged: there };
    const isIn = await etcd.change([condition], [{ put: key, value, lease }]);
    const after = isIn ? await etcd.get(key) : undefined;
    if (after !== undefined && readNonce(after) === nonce) {
      if (there !== undefined) await etcd.revokeLease(there.lease).catch(() => {}); // ends by itself
      return after;
    }
    await etcd.revokeLease(lease).catch(() => {});
    return refuse();
  };
  const keep = async (): Promise<HostClaim> => {
    if (entry !== undefined) {
      const there = (await etcd.keepLease(entry.lease)) ? await etcd.get(key) : undefined;
      if (there?.revision === entry.revision) return { unchanged: entry };
      entry = undefined;
    }
    try {
      entry = await enter();
      hasEntered = true;
      refusal = undefined;
    } catch (error) {
      const failure = toCleatError(error);
      if (failure.code === "FAILED_PRECONDITION") refusal = failure;
      throw error;
    }
    return { unchanged: entry };
  };
  /** Of many who ask at once one does it: two would take each other for another process. */
  let keeping: Promise<HostClaim> | undefined;
  const keepOnce = () => (keeping ??= keep().finally(() => (keeping = undefined)));

  return {
    keep: keepOnce,
    claim: async () => (entry === undefined ? keepOnce() : { unchanged: entry }),
    assertNoOther() {
      if (refusal !== undefined) throw refusal;
    },
    async leave() {
      if (entry === undefined) return;
      try {
        await etcd.revokeLease(entry.lease);
      } catch (error) {
        if (toCleatError(error).code !== "NOT_FOUND") throw error;
      }
    },
  };
}

/** `undefined` for what no process of this kind has written. */
function readNonce({ value }: EtcdEntry): string | undefined {
  try {
    return keySchema.parse(JSON.parse(value)).nonce;
  } catch {
    return undefined;
  }
}

/**
 * Lets other hosts know that this one is there, by a key that goes when it is not heard from.
 *
 * A folder says which host it is, and folders are copied, with their machines too. So each process has a nonce of its
 * own, which the host's key holds: it takes the key where nobody has it, or from the process that had this very folder
 * before it in this boot of the machine. Whoever finds another's nonce there is not the host, and mounts nothing. What
 * is changed in the host's name is changed only as long as the key is as this process has written it.
 */
import { randomUUID } from "node:crypto";
import { CleatError, quoteText, toCleatError } from "../../errors/index.ts";
import type { Etcd, EtcdCondition, EtcdEntry } from "./etcd.ts";
import { leaseSeconds, takeHostKey } from "./host-key.ts";
import { type HostPlace, notePath, readNote, readPlace } from "./host-note.ts";
import type { ThisHost } from "./shared-records.ts";

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
  const own = { etcd, key: `${prefix}/hosts/${id}`, id, name, nonce: randomUUID(), folder, place };
  let entry: EtcdEntry | undefined;
  let hadKey = false;
  let refusal: CleatError | undefined;

  const refuse = (): never => {
    const message =
      `another process is host ${quoteText(name)} (${id}), which is this folder's: is "${folder}" a copy? ` +
      `One from before a reboot is forgotten after ${leaseSeconds} s; ` +
      `without "${notePath(folder)}" this is a host of its own`;
    throw new CleatError("FAILED_PRECONDITION", message);
  };
  /** Whether the key is as this process has written it; who has lost the lease has lost the key. */
  const isKept = async ({ lease, revision }: EtcdEntry): Promise<boolean> =>
    (await etcd.keepLease(lease)) && (await etcd.get(own.key))?.revision === revision;
  const enter = async (): Promise<EtcdEntry> => {
    try {
      const taken = (await takeHostKey(own, hadKey)) ?? refuse();
      hadKey = true;
      refusal = undefined;
      return taken;
    } catch (error) {
      const failure = toCleatError(error);
      if (failure.code === "FAILED_PRECONDITION") refusal = failure;
      throw error;
    }
  };
  const keep = async (): Promise<HostClaim> => {
    if (entry !== undefined && !(await isKept(entry))) entry = undefined;
    entry ??= await enter();
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

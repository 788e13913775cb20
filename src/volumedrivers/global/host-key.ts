/** The key by which other hosts see that one is there, and how a process comes to have it. */
import { z } from "zod";
import type { Etcd, EtcdEntry } from "./etcd.ts";
import { assertNoCopy, type HostNote, type HostPlace, readNote, writeNote } from "./host-note.ts";

/** How long others take a host that is not heard from for one that is, in seconds. */
export const leaseSeconds = 30;

/** A process that is to be the host. */
export interface HostProcess {
  readonly etcd: Etcd;
  readonly key: string;
  readonly id: string;
  readonly name: string;
  /** Which process of the host it is. */
  readonly nonce: string;
  readonly folder: string;
  /** Where the folder is. */
  readonly place: () => Promise<HostPlace>;
}

const keySchema = z.object({ name: z.string(), nonce: z.string() });

/** What a process finds that comes to be the host. */
interface Found {
  readonly note: HostNote;
  readonly here: HostPlace;
  /** Who has the key. */
  readonly holder: EtcdEntry | undefined;
}

/**
 * Takes the key; `undefined` when another process has it. Of a process that `hadKey` before, nobody's key is taken:
 * what was before this process is gone.
 * @throws FAILED_PRECONDITION when the folder is a copy of another
 */
export async function takeHostKey(own: HostProcess, hadKey: boolean): Promise<EtcdEntry | undefined> {
  const { etcd } = own;
  const found = await lookAround(own);
  if (!isOurs(own, found, hadKey)) return undefined;
  const lease = await etcd.grantLease(leaseSeconds);
  await noteNonces(own, found, lease);
  const taken = await putKey(own, found.holder, lease);
  await endLease(etcd, taken === undefined ? lease : found.holder?.lease);
  return taken;
}

async function lookAround({ etcd, key, folder, place }: HostProcess): Promise<Found> {
  const [note, here] = [await readNote(folder), await place()];
  assertNoCopy(folder, note, here);
  return { note, here, holder: await etcd.get(key) };
}

/** Nobody has the key, this process has it, or one that had this very folder in this boot of the machine. */
function isOurs({ nonce }: HostProcess, { note, here, holder }: Found, hadKey: boolean): boolean {
  if (holder === undefined) return true;
  const seen = readNonce(holder);
  if (seen === nonce) return true;
  const isSameBoot = here.boot !== "" && note.place.boot === here.boot;
  return !hadKey && isSameBoot && seen !== undefined && note.nonces.includes(seen);
}

/**
 * Noted before the key is seen: so the process after this one knows it for its own, whether this one is killed before
 * the change or behind it.
 */
async function noteNonces(own: HostProcess, { note, here, holder }: Found, lease: string): Promise<void> {
  const { folder, id, nonce } = own;
  const seen = holder && readNonce(holder);
  const nonces = seen === undefined || seen === nonce ? [nonce] : [seen, nonce];
  await writeNote(folder, { ...note, id, place: here, nonces, lease });
}

/** `undefined` when another process was faster. */
async function putKey(
  { etcd, key, name, nonce }: HostProcess,
  holder: EtcdEntry | undefined,
  lease: string,
): Promise<EtcdEntry | undefined> {
  const condition = holder === undefined ? { nothingAt: key } : { unchanged: holder };
  const isPut = await etcd.change([condition], [{ put: key, value: JSON.stringify({ name, nonce }), lease }]);
  const entry = isPut ? await etcd.get(key) : undefined;
  return entry && readNonce(entry) === nonce ? entry : undefined;
}

/** One that cannot be ended ends by itself. */
async function endLease(etcd: Etcd, lease: string | undefined): Promise<void> {
  if (lease !== undefined) await etcd.revokeLease(lease).catch(() => {});
}

/** `undefined` for what no process of this kind has written. */
function readNonce({ value }: EtcdEntry): string | undefined {
  try {
    return keySchema.parse(JSON.parse(value)).nonce;
  } catch {
    return undefined;
  }
}

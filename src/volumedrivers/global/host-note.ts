import { randomUUID } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CleatError, isSystemError } from "../../errors/index.ts";
import { makeFolders, replaceFile } from "../../files/index.ts";
import { bootId } from "../../syscall/index.ts";

/** Where a host's folder is, by what a copy of it has not. */
export interface HostPlace {
  /** Of the machine: its machine-id, and what its firmware calls it, which a cloned machine has not. */
  readonly machine: string;
  /** "" where that is not shown. */
  readonly boot: string;
  readonly inode: string;
  /** May be another after a reboot. */
  readonly device: string;
}

const noteSchema = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  place: z.strictObject({ machine: z.string(), boot: z.string(), inode: z.string(), device: z.string() }),
  /** Of the process that was this host last, and of the one before it: either may be in etcd. */
  nonces: z.array(z.string()),
  /** What the last one was heard by. */
  lease: z.string().optional(),
});

const laterVersion = z.object({ version: z.int().min(2) });

/** What a folder keeps of the host that it is. */
export type HostNote = Readonly<z.output<typeof noteSchema>>;

export const notePath = (folder: string): string => join(folder, "host.json");

/** Who the folder's host is: one of its own, made when the folder is. @throws DATA_LOSS when the note is damaged. */
export async function readNote(folder: string, place?: HostPlace): Promise<HostNote> {
  try {
    const value: unknown = JSON.parse(await readFile(notePath(folder), "utf8"));
    if (laterVersion.safeParse(value).success) {
      throw new CleatError("FAILED_PRECONDITION", `"${notePath(folder)}" was written by a later release`);
    }
    return noteSchema.parse(value);
  } catch (error) {
    if (error instanceof CleatError) throw error;
    if (!isSystemError(error, "ENOENT")) {
      throw new CleatError("DATA_LOSS", `"${notePath(folder)}" is not what was written there`, { cause: error });
    }
  }
  await makeFolders(folder, 0o711);
  const note = { version: 1, id: randomUUID(), place: place ?? (await readPlace(folder)), nonces: [] } as const;
  await writeNote(folder, { ...note, nonces: [] });
  return { ...note, nonces: [] };
}

export async function writeNote(folder: string, note: HostNote): Promise<void> {
  await replaceFile(notePath(folder), (file) => file.writeFile(JSON.stringify(note)), { mode: 0o600 });
}

/** Source: machine-id(5); Linux v6.1 `drivers/firmware/dmi-id.c`, which shows "product_uuid" to root. */
export async function readPlace(folder: string): Promise<HostPlace> {
  const { ino, dev } = await stat(folder, { bigint: true });
  const ids = await Promise.all(["/etc/machine-id", "/sys/class/dmi/id/product_uuid"].map(readId));
  return { machine: ids.join(" ").trim(), boot: bootId(), inode: String(ino), device: String(dev) };
}

async function readId(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if (isSystemError(error)) return ""; // not every machine has one
    throw error;
  }
}

/** @throws FAILED_PRECONDITION when the folder is a copy of the one that the note was made in. */
export function assertNoCopy(folder: string, { place: noted }: HostNote, place: HostPlace): void {
  const remedy =
    `delete "${notePath(folder)}" to let it be a host of its own, ` +
    "and say of the old one that it is down for good where it is: cleat volumes unlock";
  const refuse = (what: string): never => {
    throw new CleatError("FAILED_PRECONDITION", `"${folder}" is a copy of ${what}, and no second host: ${remedy}`);
  };
  if (noted.machine !== place.machine) refuse("another machine's");
  const isSame = noted.inode === place.inode && (noted.boot !== place.boot || noted.device === place.device);
  if (!isSame) refuse("another folder");
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CleatError, isSystemError } from "../../errors/index.ts";
import { replaceFile } from "../../files/index.ts";

/** What a plugin has said of a volume that it made, and needs to be told again with each call. */
const provisionedSchema = z.strictObject({ volumeId: z.string(), context: z.record(z.string(), z.string()) });
export type Provisioned = Readonly<z.output<typeof provisionedSchema>>;

const recordSchema = z.strictObject({
  version: z.literal(1),
  /** The name that the plugin was asked for, nobody else's. Missing where that was the volume's own. */
  askedName: z.string().optional(),
  /** The volume of which it was to be a clone. */
  sourceId: z.string().optional(),
  /** Missing while nobody knows what came of asking. */
  provisioned: provisionedSchema.optional(),
  /**
   * What its file system is to be given where it is mounted next: the plugin's controller has given the volume more.
   */
  nodeExpansionBytes: z.int().positive().optional(),
  /** The node that its controller was last told to attach it to: the plugin may call this one otherwise by now. */
  attachedTo: z.string().optional(),
});

/** That a plugin was asked for a volume, and what it said. */
export type ProvisionRecord = Omit<Readonly<z.output<typeof recordSchema>>, "version">;

export const recordPath = (folder: string): string => join(folder, "csi.json");

/** In the volume's folder; durable when it resolves. */
export async function writeRecord(folder: string, record: ProvisionRecord): Promise<void> {
  const text = JSON.stringify({ version: 1, ...record });
  await replaceFile(recordPath(folder), (file) => file.writeFile(text), { mode: 0o600 });
}

/** Fields that are `undefined` are taken out. Only for who has the volume's turn: it reads, and then writes. */
export async function changeRecord(
  folder: string,
  changes: { readonly [Key in keyof ProvisionRecord]?: ProvisionRecord[Key] | undefined },
): Promise<void> {
  await writeRecord(folder, { ...(await readRecord(folder)), ...changes } as ProvisionRecord);
}

const laterVersion = z.object({ version: z.int().min(2) });

/**
 * `undefined` where no plugin was asked.
 * @throws DATA_LOSS when it cannot be read, FAILED_PRECONDITION when a later release has written it.
 */
export async function readRecord(folder: string): Promise<ProvisionRecord | undefined> {
  const path = recordPath(folder);
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    if (laterVersion.safeParse(value).success) {
      throw new CleatError("FAILED_PRECONDITION", `"${path}" was written by a later release`);
    }
    return recordSchema.parse(value);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    if (error instanceof CleatError) throw error;
    throw new CleatError("DATA_LOSS", `"${path}" is not what was written there`, { cause: error });
  }
}

import { crc32 } from "node:zlib";
import { z } from "zod";
import { CleatError, quoteText } from "../../errors/index.ts";

/** Whose journal a file is, and what its changes look like there. */
export interface JournalFormat<Change> {
  /** In the header of the file: "cleat-snapshots". */
  readonly name: string;
  /** What messages call it, in the plural: "records of snapshots". */
  readonly subject: string;
  /** Reads a change as `toStored` made it. */
  readonly stored: z.ZodType<Change>;
  /** As JSON can hold it. */
  toStored(change: Change): unknown;
}

export interface ReadResult {
  /** What stands behind is a torn line. */
  readonly goodBytes: number;
  readonly checkpointBytes: number;
  readonly seq: number;
}

export const fileName = "records";
export const formatVersion = 1;

const header = z.strictObject({
  format: z.string(),
  version: z.int(),
  seq: z.int().nonnegative(),
  lines: z.int().nonnegative(),
});

export type JournalHeader = z.output<typeof header>;

/**
 * Reads the lines of a journal, telling `onChange` everything that happened, in order.
 * @throws DATA_LOSS when it is damaged, FAILED_PRECONDITION when it is another's or a later version has written it.
 */
export function readJournal<Change>(
  content: Buffer,
  format: JournalFormat<Change>,
  onChange: (change: Change) => void,
): ReadResult {
  const batchSchema = z.strictObject({ seq: z.int().nonnegative(), changes: z.array(format.stored) });
  const damaged = (line: number, at: number, problem: string) => damagedJournal(format.subject, line, at, problem);
  let goodBytes = 0;
  let checkpointBytes = 0;
  let checkpointLines = 0;
  let seq = 0;

  const readBatch = (value: unknown, expected: number, line: number): number => {
    const batch = batchSchema.safeParse(value);
    if (!batch.success) throw damaged(line, goodBytes, "it is no change");
    if (batch.data.seq !== expected) {
      throw damaged(line, goodBytes, `it is number ${batch.data.seq} instead of ${expected}`);
    }
    for (const change of batch.data.changes) onChange(change);
    return expected;
  };

  for (let line = 0; goodBytes < content.length; line++) {
    const newline = content.indexOf(0x0a, goodBytes);
    const end = newline < 0 ? content.length : newline + 1;
    const value = newline < 0 ? undefined : readLine(content.subarray(goodBytes, newline));
    if (value === undefined) {
      // Only a batch may be torn, and only the last: what stands before was durable before it was begun.
      const isTorn = line > checkpointLines && line > 0 && !holdsLine(content.subarray(end));
      if (isTorn) break;
      throw damaged(line, goodBytes, "its checksum is wrong");
    }
    if (line === 0) ({ seq, lines: checkpointLines } = readHeader(value, format));
    else seq = readBatch(value, line > checkpointLines ? seq + 1 : seq, line);
    goodBytes = end;
    if (line === checkpointLines) checkpointBytes = goodBytes;
  }
  if (content.length > 0 && checkpointBytes === 0) throw damaged(checkpointLines, goodBytes, "it ends too early");
  return { goodBytes, checkpointBytes, seq };
}

function readHeader(value: unknown, { name, subject }: Pick<JournalFormat<never>, "name" | "subject">): JournalHeader {
  const known = header.safeParse(value);
  if (!known.success) throw damagedJournal(subject, 0, 0, "it is no header");
  const { format, version } = known.data;
  if (format !== name) {
    throw new CleatError("FAILED_PRECONDITION", `${subject} are of format ${quoteText(format)} instead of "${name}"`);
  }
  if (version === formatVersion) return known.data;
  const message = `${subject} are of version ${version}, which a later Cleat has written`;
  throw new CleatError("FAILED_PRECONDITION", message);
}

/** `undefined` where the checksum is not that of the text. */
function readLine(line: Buffer): unknown {
  if (line[checksumLength] !== 0x20) return undefined;
  const text = line.subarray(checksumLength + 1);
  if (line.toString("latin1", 0, checksumLength) !== checksum(text)) return undefined;
  try {
    return JSON.parse(text.toString()) as unknown;
  } catch {
    return undefined; // somebody has written a line by hand
  }
}

function holdsLine(content: Buffer): boolean {
  for (let at = 0; at < content.length;) {
    const newline = content.indexOf(0x0a, at);
    if (newline < 0) return false;
    if (readLine(content.subarray(at, newline)) !== undefined) return true;
    at = newline + 1;
  }
  return false;
}

const checksumLength = 8;

function checksum(text: Uint8Array): string {
  return crc32(text).toString(16).padStart(checksumLength, "0");
}

export function formatLine(value: object): Buffer {
  const text = Buffer.from(JSON.stringify(value));
  return Buffer.concat([Buffer.from(`${checksum(text)} `), text, Buffer.from("\n")]);
}

function damagedJournal(subject: string, line: number, at: number, problem: string): CleatError {
  const message =
    `${subject} are damaged: line ${line + 1} of "${fileName}", at byte ${at}: ${problem}. ` +
    "The file was left as it is; what stands in it may be read by people, each line by itself";
  return new CleatError("DATA_LOSS", message);
}

import { createHash } from "node:crypto";
import { CleatError } from "../../../errors/index.ts";

/** What a file was before a block was put into it: what is needed to take the block out again to the byte. */
export type FileBefore = "absent" | "whole lines" | "last line without a break";

/** A file with Cleat's block taken out. */
export interface TakenOut {
  /** The file without the block; `undefined` where the block made the file. */
  readonly text: string | undefined;
  readonly block: string | undefined;
}

const begin = "# >>> cleat config containerd";
const end = "# <<< cleat config containerd";

/**
 * The sentence in the first line tells a reader what it is, and what is after it tells `takeOutBlock` what to restore.
 */
const marks: Readonly<Record<FileBefore, string>> = {
  absent: "a file of its own",
  "whole lines": "added to this file",
  "last line without a break": "added to this file with a line break",
};

/** A block of whole lines, which a later call recognises. */
export function formatBlock(body: string, before: FileBefore): string {
  const advice = "cleat config containerd --remove takes it out";
  const first = `${begin}: ${marks[before]}, ${digest(body)}; ${advice}`;
  return `${before === "last line without a break" ? "\n" : ""}${first}\n${body}${end}\n`;
}

export function describeFile(text: string | undefined): FileBefore {
  if (text === undefined) return "absent";
  return text === "" || text.endsWith("\n") ? "whole lines" : "last line without a break";
}

/**
 * Takes the block out of a file, if there is one.
 * @throws FAILED_PRECONDITION when it was changed since it was written: what somebody has written into it is not
 * Cleat's.
 */
export function takeOutBlock(text: string | undefined, subject: string): TakenOut {
  if (text === undefined) return { text, block: undefined };
  const blocks = [
    ...text.matchAll(
      /^# >>> cleat config containerd: (.*), ([0-9a-f]{8});.*\n([^]*?)^# <<< cleat config containerd\n/gm,
    ),
  ];
  const [block] = blocks;
  const markers = [...text.matchAll(/^# (?:>>>|<<<) cleat config containerd/gm)].length;
  if (block === undefined && markers === 0) return { text, block: undefined };
  if (block === undefined || blocks.length > 1 || markers !== 2)
    throw refuse(subject, "holds the marks of Cleat's block, but not one whole block between them");
  const [whole, mark, digestThen, body = ""] = block;
  const before = (Object.keys(marks) as FileBefore[]).find((key) => marks[key] === mark);
  if (before === undefined || digest(body) !== digestThen)
    throw refuse(subject, "has Cleat's block, changed since it was written");
  const hasBreak = before === "last line without a break";
  const head = text.slice(0, block.index - (hasBreak ? 1 : 0));
  const tail = text.slice(block.index + whole.length);
  assertNothingHangsOn(tail, subject);
  const rest = head + tail;
  return { text: before === "absent" && rest === "" ? undefined : rest, block: (hasBreak ? "\n" : "") + whole };
}

/** A setting below the block belongs to the block's last table, and would go to another without it. */
function assertNothingHangsOn(tail: string, subject: string): void {
  const first = tail.split("\n").find((line) => !/^\s*(#.*)?$/.test(line));
  if (first === undefined || /^\s*\[/.test(first)) return;
  throw refuse(
    subject,
    `has settings below Cleat's block that belong to its last table (${JSON.stringify(first.trim())})`,
  );
}

function refuse(subject: string, what: string): CleatError {
  return new CleatError("FAILED_PRECONDITION", `${subject} ${what}: take it out by hand`);
}

function digest(body: string): string {
  return createHash("sha256").update(body).digest("hex").slice(0, 8);
}

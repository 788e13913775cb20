/** What is done with whole trees of files, each in a process of its own that is killed when `signal` aborts. */
import { spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { parseTreeFailure, type TreeOrder } from "./tree-order.ts";

export interface TreeJobOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Of what the program says, from its end. */
const maxSaidCharacters = 64 * 1024;

const program = fileURLToPath(new URL("./tree-child.js", import.meta.url));

/**
 * Copies all that is in `from` to `to`, an empty folder or none yet: owners, modes, times, extended attributes, hard
 * links, holes, devices. By a snapshot of btrfs where both can be subvolumes: then of one moment. Else file by file, by
 * sharing blocks (reflink) where the file system can: each as it is when its turn comes. Durable when it resolves.
 * @throws ABORTED when a file becomes shorter while it is copied, RESOURCE_EXHAUSTED when there is no room.
 */
export async function copyFolder(from: string, to: string, options: TreeJobOptions = {}): Promise<void> {
  await runTreeJob({ job: "copy", from, to }, undefined, undefined, options);
}

/** Copies a file with its holes, by sharing blocks where that can be; with `atOnce`, only there. */
export async function copyImageFile(
  from: string,
  to: string,
  { atOnce, signal }: TreeJobOptions & { readonly atOnce: boolean },
): Promise<void> {
  await runTreeJob({ job: "copy file", from, to, atOnce }, undefined, undefined, { signal });
}

/**
 * Makes the file `note`, durably, where nothing in `folder` would be another file below an overlay (`hasOverlayMarks`):
 * the folder must not change from then on.
 */
export async function noteUnmarked(folder: string, note: string, options: TreeJobOptions = {}): Promise<void> {
  await runTreeJob({ job: "note unmarked", folder, note }, undefined, undefined, options);
}

/**
 * Writes all that is in a folder, and its own attributes, to `output` (a descriptor, or a stream that stays open) as a
 * tar archive that GNU tar reads: owners, modes, times to the nanosecond, extended attributes, hard links, holes,
 * devices; sockets are left out.
 */
export async function archiveFolder(
  from: string,
  output: Writable | number,
  options: TreeJobOptions = {},
): Promise<void> {
  await runTreeJob({ job: "archive", from }, undefined, output, options);
}

/**
 * Makes in the empty folder `to` what a tar archive holds; durable when it resolves. After an error it holds part of
 * it.
 * @throws INVALID_ARGUMENT for what is no archive, or has names that lead out of it; DATA_LOSS for half of one.
 */
export async function unpackArchive(input: Readable, to: string, options: TreeJobOptions = {}): Promise<void> {
  await runTreeJob({ job: "unpack", to }, input, undefined, options);
}

/** Runs the program that does the job in a process of its own, which is killed when the caller gives up. */
async function runTreeJob(
  order: TreeOrder,
  input: Readable | undefined,
  output: Writable | number | undefined,
  { signal }: TreeJobOptions,
): Promise<void> {
  signal?.throwIfAborted();
  const child = spawn(process.execPath, [program, JSON.stringify(order)], {
    stdio: [input === undefined ? "ignore" : "pipe", standardOutput(output), "pipe"],
  });
  const kill = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", kill, { once: true });
  try {
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-maxSaidCharacters)));
    const closed = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
    const inputFailure = input && child.stdin ? failureOf(pipeline(input, child.stdin)) : undefined;
    const outputFailure =
      typeof output === "object" && child.stdout
        ? failureOf(pipeline(child.stdout, output, { end: false }), kill) // else it would go on writing
        : undefined;
    const exitCode = await closed;
    input?.destroy();
    signal?.throwIfAborted();
    const unwritten = await outputFailure;
    if (unwritten !== undefined) throw unwritten as Error;
    // A child that fails reads no more: what it says counts, and not the broken pipe.
    if (exitCode !== 0) throw parseTreeFailure(said);
    const unread = await inputFailure;
    if (unread !== undefined && input?.errored) throw unread as Error;
  } finally {
    signal?.removeEventListener("abort", kill);
  }
}

function standardOutput(output: Writable | number | undefined): "ignore" | "pipe" | number {
  if (output === undefined) return "ignore";
  return typeof output === "number" ? output : "pipe";
}

/** What `streamed` fails with, to be looked at when the process has ended; `undefined` when it does not. */
async function failureOf(streamed: Promise<void>, onFailure: () => void = () => {}): Promise<unknown> {
  try {
    await streamed;
    return undefined;
  } catch (error) {
    onFailure();
    return error;
  }
}

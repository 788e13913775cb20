/**
 * A program that mounts what it reads on standard input, and says how that went: a process of its own, which can be
 * killed where a server or a disk is gone. Nobody sees a secret among its arguments.
 *
 * By Linux's later mount API (5.2; attributes of a bind: 5.12), so that what is mounted is seen with all that was asked
 * of it or not at all, and so that a file system says in words what it does not like.
 */
import { readFileSync, readSync } from "node:fs";
import { isAbsolute } from "node:path";
import { CleatError, type ErrorCode, isSystemError, toCleatError } from "../../errors/index.ts";
import {
  cloneMount,
  close,
  fsconfigFlag,
  fsconfigString,
  fsmount,
  fsopen,
  makeSlave,
  moveMount,
  O_DIRECTORY,
  O_PATH,
  openPath,
  setMountAttributes,
} from "../../syscall/index.ts";
import type { MountRequest } from "./mount-file-system.ts";
import { sortOptions } from "./mount-options.ts";

export type MountOrder = Pick<MountRequest, "type" | "source" | "target"> & { readonly options: readonly string[] };

export type MountOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

process.stdout.write(JSON.stringify(run(JSON.parse(readFileSync(0, "utf8")) as MountOrder)));

function run(order: MountOrder): MountOutcome {
  try {
    const { bind } = sortOptions(order.options);
    if (bind) bindFolder(order);
    else mountNew(order);
    return { ok: true };
  } catch (error) {
    const { code, message } = toCleatError(error);
    return { ok: false, code, message };
  }
}

function bindFolder({ source, target, options }: MountOrder): void {
  const { set, clear, recursive } = sortOptions(options);
  if (!isAbsolute(source)) throw new CleatError("INVALID_ARGUMENT", `source "${source}" is not an absolute path`);
  const folder = openPath(source, O_PATH | O_DIRECTORY);
  const cloned = cloneMount(folder, recursive);
  if (set !== 0 || clear !== 0) setMountAttributes(cloned, set, clear, recursive);
  if (recursive) makeSlave(cloned); // so that taking it apart reaches no mount of the host's own
  moveMount(cloned, target);
  close(cloned);
  close(folder);
}

function mountNew({ type, source, target, options }: MountOrder): void {
  const { set, own } = sortOptions(options);
  const context = openContext(type);
  try {
    fsconfigString(context, "source", source);
    for (const option of own) {
      const at = option.indexOf("=");
      if (at < 0) fsconfigFlag(context, option);
      else fsconfigString(context, option.slice(0, at), option.slice(at + 1));
    }
    const made = fsmount(context, set);
    moveMount(made, target);
    close(made);
  } catch (error) {
    const said = readMessages(context);
    if (said.length === 0) throw error;
    const { code } = toCleatError(error);
    throw new CleatError(code, said.join("; "), { cause: error });
  }
}

function openContext(type: string): number {
  try {
    return fsopen(type);
  } catch (error) {
    if (!isSystemError(error, "ENODEV")) throw error;
    throw new CleatError("UNIMPLEMENTED", `this kernel knows no file system "${type}"`, { cause: error });
  }
}

/** What the kernel says about a file system in the making: lines that begin with a letter for how bad it is. */
function readMessages(context: number): string[] {
  const buffer = Buffer.alloc(4096);
  const lines: string[] = [];
  for (;;) {
    try {
      const length = readSync(context, buffer);
      if (length === 0) return lines;
      lines.push(buffer.toString("utf8", 2, length).trim());
    } catch {
      return lines; // ENODATA: that was all
    }
  }
}

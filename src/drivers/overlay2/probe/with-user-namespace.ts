import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { isSystemError } from "../../../errors/index.ts";
import { unprivileged } from "../../../graphdriver/probe-kit.ts";

/** As long as a process takes to start, many times over. */
const timeoutMs = 2_000;

/**
 * Gives `use` a descriptor of a user namespace with ids of its own, which needs a process in it; `undefined` where none
 * can be made, and for who could do nothing with it. The process ends with its input, and so with this one.
 */
export async function withUserNamespace<T>(use: (userNamespace: number | undefined) => Promise<T>): Promise<T> {
  if (unprivileged() !== undefined) return use(undefined);
  const child = spawn("unshare", ["--user", "--map-root-user", "sh", "-c", "echo; exec cat"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const ended = new Promise<void>((resolve) => child.on("error", () => resolve()).on("exit", () => resolve()));
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const started = await Promise.race([once(child.stdout, "data", { signal }), ended]).catch(() => undefined);
    const namespace = started === undefined ? undefined : openNamespace(child.pid);
    try {
      return await use(namespace);
    } finally {
      if (namespace !== undefined) closeSync(namespace);
    }
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

function openNamespace(pid: number | undefined): number | undefined {
  try {
    return openSync(`/proc/${pid}/ns/user`, "r");
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

import { fork } from "node:child_process";
import { CleatError, type ErrorCode } from "../../errors/index.ts";
import type { Diagnosis, StorePlace } from "../../selection/index.ts";

/** What the process that examines says, once. */
export type ExaminationReply =
  | { readonly diagnosis: Diagnosis }
  | { readonly failed: { readonly code: ErrorCode; readonly message: string } };

/**
 * Has a process of its own examine a place: one that hangs, on a dead network's file system say, is killed and not
 * waited for.
 * @throws DEADLINE_EXCEEDED when it takes longer than `timeoutMs`; whatever `diagnose` threw, by code and message.
 */
export async function examine(place: StorePlace, timeoutMs: number): Promise<Diagnosis> {
  const child = fork(new URL("./examine-process.js", import.meta.url), [JSON.stringify(place)], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    const reply = await new Promise<ExaminationReply>((resolve, reject) => {
      const fail = (code: ErrorCode, what: string) => reject(new CleatError(code, `examination ${what}`));
      timer = setTimeout(() => fail("DEADLINE_EXCEEDED", `is not done within ${timeoutMs} ms`), timeoutMs);
      child.on("message", (message) => resolve(message as ExaminationReply));
      child.on("error", reject);
      child.on("exit", (code, signal) => fail("INTERNAL", `ended with ${signal ?? `code ${code}`}`));
    });
    if ("failed" in reply) throw new CleatError(reply.failed.code, reply.failed.message);
    return reply.diagnosis;
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
    child.unref();
    if (child.connected) child.disconnect();
  }
}

/** What a pool's thread runs: one job after another, each a function named by its module's URL. */
import { parentPort } from "node:worker_threads";
import { detachThread } from "../syscall/index.ts";
import { failedOutcome, type Outcome } from "./outcome.ts";

interface Job {
  readonly module: string;
  readonly name: string;
  readonly args: readonly unknown[];
}

async function runJob({ module, name, args }: Job): Promise<Outcome> {
  try {
    const exports = (await import(module)) as Record<string, (...args: readonly unknown[]) => unknown>;
    return { value: await exports[name]?.(...args) };
  } catch (error) {
    return failedOutcome(error);
  }
}

detachThread();
parentPort?.on("message", (job: Job) => {
  void runJob(job)
    .then((outcome) => parentPort?.postMessage(outcome))
    .catch((error) => parentPort?.postMessage(failedOutcome(error))); // the result cannot be cloned
});

/** What a pool's thread runs: one job after another, each a function named by its module's URL. */
import { parentPort, workerData } from "node:worker_threads";
import { CleatError } from "../errors/index.ts";
import { detachThread, watchForCancellation } from "../syscall/index.ts";
import { failedOutcome, type Outcome } from "./outcome.ts";
import type { endOfJobs, Job, ThreadData, ThreadMessage } from "./threads.ts";

type Exports = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;

/** To import a module that is there already costs as much as a small job. */
const loaded = new Map<string, Exports>();

/** A module that cannot be loaded ends the thread: it would never load here again, whatever becomes of the file. */
async function load(module: string): Promise<Exports> {
  const exports = (await import(module)) as Exports;
  loaded.set(module, exports);
  say({ loaded: module });
  return exports;
}

async function runJob({ module, name, args }: Job): Promise<Outcome> {
  const exports = loaded.get(module) ?? (await load(module));
  watchForCancellation((workerData as ThreadData).unwanted);
  try {
    const run = exports[name];
    if (run === undefined) throw new CleatError("INTERNAL", `module ${module} has no function "${name}"`);
    return { value: await run(...args) };
  } catch (error) {
    return failedOutcome(error);
  }
}

detachThread();
parentPort?.on("message", (job: Job | typeof endOfJobs) => {
  if (typeof job === "string") process.exit();
  void runJob(job).then(reply);
});

function say(message: ThreadMessage): void {
  parentPort?.postMessage(message);
}

function reply(outcome: Outcome): void {
  try {
    say(outcome);
  } catch (error) {
    say(failedOutcome(error)); // the result cannot be cloned
  }
}

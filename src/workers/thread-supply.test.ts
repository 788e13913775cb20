import type * as threads from "node:worker_threads";
import { afterEach, expect, it, vi } from "vitest";
import { createBesideState } from "../syscall/index.ts";
import { createThreadSupply } from "./thread-supply.ts";
import type { endOfJobs, Job, ThreadMessage } from "./threads.ts";

/** Threads that answer each job with its name. Of the next few the machine starts none: it may have no more. */
const machine = vi.hoisted(() => ({
  refusals: 0,
  started: 0,
  workers: [] as { emit(name: string, of: unknown): void }[],
}));
vi.mock("node:worker_threads", async (importOriginal) => {
  const original = await importOriginal<typeof threads>();
  const { EventEmitter } = await import("node:events");
  class Worker extends EventEmitter {
    constructor() {
      super();
      if (machine.refusals > 0) {
        machine.refusals -= 1;
        throw Object.assign(new Error("EAGAIN"), { code: "ERR_WORKER_INIT_FAILED" });
      }
      machine.started += 1;
      machine.workers.push(this);
    }
    postMessage(told: Job | typeof endOfJobs): void {
      if (typeof told === "string") queueMicrotask(() => this.emit("exit"));
      else if (told.name !== "hang")
        queueMicrotask(() => this.emit("message", { value: told.name } satisfies ThreadMessage));
    }
    ref(): void {}
    unref(): void {}
  }
  return { ...original, Worker };
});

afterEach(() => {
  machine.refusals = machine.started = 0;
  machine.workers.length = 0;
});

const job = (name: string): Job => ({ module: "m", name, args: [] });
const returned = (value: string) => ({ kind: "returned", outcome: { value } });

it("waits for a thread while the machine starts none", async () => {
  const supply = createThreadSupply(2);
  machine.refusals = 3;
  expect(await supply.run(job("a"), performance.now(), undefined)).toEqual(returned("a"));
  expect(machine).toMatchObject({ refusals: 0, started: 1 });
});

it("says what is missing where no thread can be started for long", async () => {
  const supply = createThreadSupply(2);
  machine.refusals = Infinity;
  await expect(supply.run(job("a"), performance.now() - 60_000, undefined)).rejects.toMatchObject({
    code: "RESOURCE_EXHAUSTED",
    message: expect.stringMatching(/no thread can be started: .*EAGAIN/),
  });
  machine.refusals = 0;
  expect(await supply.run(job("b"), performance.now(), undefined)).toEqual(returned("b"));
});

it("goes on without a thread beside a job where none can be started", async () => {
  const supply = createThreadSupply(2);
  const running = supply.run(job("hang"), performance.now(), undefined);
  await vi.waitFor(() => expect(machine.workers.length).toBe(1));
  machine.refusals = 1;
  const [worker] = machine.workers;
  worker?.emit("message", { beside: { job: job("beside"), state: createBesideState() } } satisfies ThreadMessage);
  expect(machine.started).toBe(1);
  worker?.emit("message", { value: "done" } satisfies ThreadMessage);
  expect(await running).toEqual(returned("done"));
  await supply.close();
});

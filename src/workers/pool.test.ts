/** On Node 20 a thread cannot load TypeScript, so the pool is the built one. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { queryObjects } from "node:v8";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import type * as Workers from "./index.ts";

const built = new URL("../../dist/workers/index.js", import.meta.url);
const builtSyscall = new URL("../../dist/syscall/index.js", import.meta.url);
const builtErrors = new URL("../../dist/errors/index.js", import.meta.url);

const jobsSource = `
  import { writeFileSync } from "node:fs";
  import { CleatError } from ${JSON.stringify(builtErrors.href)};
  import { beginCommit, throwIfCancelled } from ${JSON.stringify(builtSyscall.href)};
  export function walk(words) {
    Atomics.store(words, 0, 1);
    Atomics.notify(words, 0);
    try {
      for (;;) throwIfCancelled();
    } finally {
      throwIfCancelled(); // what is undone is not cut off again
      Atomics.store(words, 1, 1);
    }
  }
  export function passOver(words) {
    try {
      walk(words);
    } catch {}
    beginCommit();
  }
  export const add = (a, b) => a + b;
  export const addLater = async (a, b) => a + b;
  export function fail(code) { throw new CleatError(code, "job failed on purpose"); }
  export function readMissing() { writeFileSync("/no/such/folder/file", ""); }
  export function exit() { process.exit(3); }
  export function throwLater() {
    setImmediate(() => { throw new Error("out of the blue"); });
    return new Promise(() => {});
  }
  export const answerFunction = () => () => {};
  export function meet(words, guests) {
    Atomics.add(words, 0, 1);
    Atomics.notify(words, 0);
    for (let here = Atomics.load(words, 0); here < guests; here = Atomics.load(words, 0)) Atomics.wait(words, 0, here);
    return guests;
  }
  export function waitFor(words) { Atomics.wait(words, 0, 0); Atomics.store(words, 1, 1); }
  export function writeBehind(path) {
    setImmediate(() => {
      writeFileSync(path, "begun");
      for (const end = Date.now() + 100; Date.now() < end; );
      writeFileSync(path, "ended");
    });
  }
  export function makeFile(path) { writeFileSync(path, "", { mode: 0o666 }); }
`;

interface Jobs {
  add(a: number, b: number): number;
  addLater(a: number, b: number): Promise<number>;
  fail(code: string): void;
  readMissing(): void;
  exit(): void;
  throwLater(): Promise<void>;
  answerFunction(): () => void;
  meet(words: Int32Array, guests: number): number;
  waitFor(words: Int32Array): void;
  makeFile(path: string): void;
  writeBehind(path: string): void;
  walk(words: Int32Array): void;
  passOver(words: Int32Array): void;
  missing(): void;
}

describe.skipIf(!existsSync(built))("a pool of threads (of the built package: npm run build)", () => {
  let scratch: string;
  let jobs: Workers.ModuleReference<Jobs>;
  let createPool: typeof Workers.createWorkerPool;
  const pools: Workers.WorkerPool[] = [];
  const openPool = (options?: Workers.WorkerPoolOptions): Workers.WorkerPool => {
    const pool = createPool(options);
    pools.push(pool);
    return pool;
  };

  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), "cleat-pool-"));
    writeFileSync(join(scratch, "jobs.mjs"), jobsSource);
    jobs = { url: pathToFileURL(join(scratch, "jobs.mjs")).href };
    createPool = ((await import(built.href)) as typeof Workers).createWorkerPool;
  });
  afterAll(() => rmSync(scratch, { recursive: true }));
  afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close())));

  const words = (): Int32Array => new Int32Array(new SharedArrayBuffer(8));

  it("runs functions of a module and gives back what they return", async () => {
    const pool = openPool();
    expect(await pool.run(jobs, "add", 1, 2)).toBe(3);
    expect(await pool.run(jobs, "addLater", 3, 4)).toBe(7);
  });

  it("runs jobs side by side, more than there are cores, so that they may wait for one another", async () => {
    const pool = openPool({ idleThreads: 1 });
    const guests = availableParallelism() + 3;
    const table = words();
    const meetings = Array.from({ length: guests }, () => pool.run(jobs, "meet", table, guests));
    expect(await Promise.all(meetings)).toEqual(Array.from({ length: guests }, () => guests));
    expect(await pool.run(jobs, "add", 1, 1)).toBe(2);
  });

  it.each([
    ["a program on its command line", ["--input-type=module"]],
    ["flags of V8, which are the process's", ["--max-old-space-size=512", "--expose-gc"]],
    ["both", ["--expose-gc", "--input-type=module"]],
  ])("runs where Node was given %s", async (_, flags) => {
    const before = process.execArgv.length;
    process.execArgv.push(...flags);
    try {
      expect(await openPool().run(jobs, "add", 1, 2)).toBe(3);
    } finally {
      process.execArgv.length = before;
    }
  });

  it("hands on failures with their code", async () => {
    const pool = openPool();
    await expect(pool.run(jobs, "fail", "DATA_LOSS")).rejects.toMatchObject({
      code: "DATA_LOSS",
      message: "job failed on purpose",
    });
    await expect(pool.run(jobs, "readMissing")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(pool.run(jobs, "missing")).rejects.toMatchObject({ code: "INTERNAL" });
    await expect(pool.run({ url: "file:///no/such.mjs" }, "x" as never)).rejects.toMatchObject({ code: "INTERNAL" });
  });

  it.each(["exit", "throwLater"] as const)("reports a thread that dies (%s) and goes on with others", async (name) => {
    const pool = openPool({ idleThreads: 1 });
    await expect(pool.run(jobs, name)).rejects.toMatchObject({ code: "INTERNAL" });
    expect(await pool.run(jobs, "add", 1, 2)).toBe(3);
  });

  it("survives arguments and results that cannot be cloned", async () => {
    const pool = openPool({ maxThreads: 1 });
    await expect(pool.run(jobs, "add", (() => {}) as never, 1)).rejects.toThrow("could not be cloned");
    await expect(pool.run(jobs, "answerFunction")).rejects.toThrow("could not be cloned");
    expect(await pool.run(jobs, "add", 1, 2)).toBe(3);
  });

  it("lets what comes when all threads are busy wait its turn", async () => {
    const pool = openPool({ maxThreads: 2 });
    const table = words();
    const jobsDone = [
      pool.run(jobs, "meet", table, 2),
      pool.run(jobs, "meet", table, 2),
      pool.run(jobs, "add", 1, 2),
      pool.run(jobs, "add", 3, 4),
    ];
    expect(await Promise.all(jobsDone)).toEqual([2, 2, 3, 7]);
  });

  it("keeps nothing of the looks that waiting jobs take", async () => {
    const pool = openPool({ maxThreads: 64 });
    const gate = words();
    const jobsHeld = Array.from({ length: 12 }, () => pool.run(jobs, "waitFor", gate));
    const promises = (): number => queryObjects(Promise, { format: "count" });
    try {
      await pause(100);
      const before = promises();
      await pause(300);
      expect(promises() - before).toBeLessThan(100);
    } finally {
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
      await Promise.all(jobsHeld);
    }
  });

  it("keeps threads free for what others wait for while streams wait for their peers", async () => {
    const pool = openPool({ maxThreads: 4 });
    const silent = (async function* () {
      yield Buffer.alloc(100_000);
      await new Promise((resolve) => (wake = resolve as () => void));
    })();
    let wake = (): void => {};
    const table = words();
    const consumed = pool.consume(silent, () => pool.run(jobs, "waitFor", table));
    const produced = pool.produce(() => pool.run(jobs, "waitFor", table)).on("error", () => {});
    const others = Array.from({ length: 10 }, () => pool.run(jobs, "add", 1, 2));
    expect(await Promise.all(others)).toEqual(others.map(() => 3));
    Atomics.store(table, 0, 1);
    Atomics.notify(table, 0);
    produced.destroy();
    wake();
    await consumed;
  });

  it("starts anew after a module that could not be loaded", async () => {
    const pool = openPool({ maxThreads: 1 });
    const url = pathToFileURL(join(scratch, "late.mjs")).href;
    const late: Workers.ModuleReference<Jobs> = { url };
    await expect(pool.run(late, "add", 1, 2)).rejects.toMatchObject({ code: "INTERNAL" });
    writeFileSync(join(scratch, "late.mjs"), jobsSource);
    expect(await pool.run(late, "add", 1, 2)).toBe(3);
  });

  it("closes when running jobs are done, twice if asked, and then refuses new ones", async () => {
    const pool = openPool();
    const table = words();
    const job = pool.run(jobs, "waitFor", table);
    const closing = pool.close();
    await expect(pool.run(jobs, "add", 1, 2)).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    Atomics.store(table, 0, 1);
    Atomics.notify(table, 0);
    await closing;
    expect(table[1]).toBe(1);
    await job;
    await pool.close();
  });

  it("ends no thread in the middle of what it does behind its answer", async () => {
    const pool = openPool({ idleThreads: 0 });
    for (let round = 0; round < 5; round++) {
      const path = join(scratch, `behind-${round}`);
      await pool.run(jobs, "writeBehind", path);
      if (existsSync(path)) expect(readFileSync(path, "utf8")).toBe("ended");
    }
  });

  it.each(["walk", "passOver"] as const)("ends a job whose caller gives up, at its next step: %s", async (name) => {
    const pool = openPool({ maxThreads: 1 });
    const table = words();
    const caller = new AbortController();
    const job = pool.within(caller.signal).run(jobs, name, table);
    job.catch(() => {});
    await Atomics.waitAsync(table, 0, 0).value;
    caller.abort();
    await expect(job).rejects.toMatchObject({ code: "CANCELLED" });
    expect(table[1]).toBe(1);
    expect(await pool.run(jobs, "add", 1, 2)).toBe(3);
  });

  it("begins no job whose caller has given up, or gives up while it waits for a thread", async () => {
    const pool = openPool({ maxThreads: 1 });
    const table = words();
    const busy = pool.run(jobs, "waitFor", table);
    const caller = new AbortController();
    const waiting = pool.within(caller.signal).run(jobs, "add", 1, 2);
    caller.abort();
    await expect(waiting).rejects.toMatchObject({ code: "CANCELLED" });
    Atomics.store(table, 0, 1);
    Atomics.notify(table, 0);
    await busy;
    await expect(pool.within(caller.signal).run(jobs, "add", 1, 2)).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("gives each thread a umask of its own, which is 0", async () => {
    const path = join(scratch, "made");
    await openPool().run(jobs, "makeFile", path);
    expect(statSync(path).mode & 0o777).toBe(0o666);
  });
});

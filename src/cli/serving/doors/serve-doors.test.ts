import { once } from "node:events";
import { PassThrough } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { CleatError } from "../../../errors/index.ts";
import type { CommandContext } from "../../terminal/command.ts";
import type { Door } from "./door.ts";
import { type OpenDoors, serveDoors } from "./serve-doors.ts";

const signal = "SIGUSR2";
const closed: string[] = [];
const door = (name: string, close = async () => void closed.push(name)): Door => ({
  lines: [name],
  fields: { name },
  close,
});

function serve(open: OpenDoors) {
  const stdout = new PassThrough();
  const context = {
    stdin: process.stdin,
    stdout,
    stderr: new PassThrough(),
    env: {},
    uid: 0,
    closingSignals: [signal],
  };
  const ended = serveDoors({ "log-level": "silent" }, context as CommandContext, open);
  return { stdout, ended };
}

afterEach(() => {
  vi.useRealTimers();
  closed.length = 0;
  expect(process.listenerCount(signal)).toBe(0);
});

describe("a signal", () => {
  it("closes what is served", async () => {
    const { stdout, ended } = serve(async () => [door("one"), door("two")]);
    await once(stdout, "data");
    process.emit(signal, signal);
    await ended;
    expect(closed).toEqual(["one", "two"]);
  });

  it("that comes while doors are opened closes them once they are, and nothing is said of them", async () => {
    const { stdout, ended } = serve(async (_logger, ending) => {
      await nextTurn(); // signals come between turns
      expect(ending.aborted).toBe(false);
      process.emit(signal, signal);
      expect(ending.aborted).toBe(true);
      return [door("late")];
    });
    await ended;
    expect(closed).toEqual(["late"]);
    expect(stdout.read()).toBeNull();
  });

  it("ends the wait for what hangs within ten seconds", async () => {
    const { stdout, ended } = serve(async () => [door("fine"), door("stuck", () => new Promise(() => {}))]);
    await once(stdout, "data");
    vi.useFakeTimers();
    const failure = expect(ended).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    process.emit(signal, signal);
    await vi.advanceTimersByTimeAsync(10_000);
    await failure;
    expect(closed).toEqual(["fine"]);
  });
});

it("what cannot be opened is told, with nobody left who waits for signals", async () => {
  const failure = new CleatError("FAILED_PRECONDITION", "taken");
  await expect(serve(() => Promise.reject(failure)).ended).rejects.toBe(failure);
});

it("what cannot be closed is told, and everything else is closed", async () => {
  const failures = [new CleatError("INTERNAL", "one"), new CleatError("INTERNAL", "two")];
  const failing = failures.map((failure) => door("failing", () => Promise.reject(failure)));
  const { stdout, ended } = serve(async () => [...failing, door("fine")]);
  await once(stdout, "data");
  process.emit(signal, signal);
  await expect(ended).rejects.toMatchObject({ errors: failures });
  expect(closed).toEqual(["fine"]);
});

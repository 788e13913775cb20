import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { CleatError, type ErrorCode } from "../../errors/index.ts";
import { silentLogger } from "../../transport/index.ts";
import type { WorkerPool } from "../../workers/index.ts";
import { deleteTrashed, emptyTrashBehind, exactNameOf, type TrashJobs, withUndoBehind } from "./delete-trashed.ts";

const worker = { url: "unused", exports: undefined as never as TrashJobs };

function fakeHome() {
  const log: string[] = [];
  const run = async (_: unknown, name: string, ...args: string[]): Promise<void> =>
    void log.push(`${name} ${args.join(" ")}`);
  const pool = { run } as unknown as WorkerPool;
  return { log, home: { path: "/home", deleteBehind: (work: (pool: WorkerPool) => Promise<void>) => work(pool) } };
}

it("tells that a layer is gone before its files are deleted", async () => {
  const { log, home } = fakeHome();
  await deleteTrashed(home, worker, "abc", () => log.push("gone"));
  expect(log).toEqual(["gone", "emptyTrash /home abc"]);
});

it("deletes the files whatever the caller does when it is told", async () => {
  const { log, home } = fakeHome();
  const failing = deleteTrashed(home, worker, "abc", () => {
    throw new Error("caller's own");
  });
  await expect(failing).rejects.toThrow("caller's own");
  expect(log).toEqual(["emptyTrash /home abc"]);
});

it("tells it of a layer that was not there, too", async () => {
  const { log, home } = fakeHome();
  await deleteTrashed(home, worker, undefined, () => log.push("gone"));
  expect(log).toEqual(["gone"]);
});

/** A home whose trash holds `names`; to delete one of them takes what `emptyTrash` takes. */
function homeWithTrash(names: readonly string[], emptyTrash: (name: string) => Promise<void>) {
  const path = mkdtempSync(join(tmpdir(), "cleat-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  mkdirSync(join(path, ".cleat/trash"), { recursive: true });
  for (const name of names) writeFileSync(join(path, ".cleat/trash", name), "");
  const run = (_: unknown, __: string, ___: string, name: string): Promise<void> => emptyTrash(name);
  const pool = { run } as unknown as WorkerPool;
  const warned: string[] = [];
  const logger = { ...silentLogger, warn: (_: object, message: string) => void warned.push(message) };
  return { path, logger, warned, deleteBehind: (work: (pool: WorkerPool) => Promise<void>) => work(pool) };
}

it("deletes what is in the trash, one after another, and not what comes there later", async () => {
  const log: string[] = [];
  const home = homeWithTrash(["a", "b"], async (name) => {
    log.push(`${name} begins`);
    writeFileSync(join(home.path, ".cleat/trash", `of-a-remove-${name}`), "");
    await Promise.resolve();
    log.push(`${name} ends`);
  });
  await emptyTrashBehind(home, worker);
  expect(log).toEqual(["a begins", "a ends", "b begins", "b ends"]);
});

it("keeps nothing shut where the trash cannot be looked at", async () => {
  const home = homeWithTrash([], async () => {});
  rmSync(join(home.path, ".cleat"), { recursive: true });
  await emptyTrashBehind(home, worker);
  expect(home.warned).toEqual(["what was removed cannot be looked at"]);
});

it("goes on behind what cannot be deleted, and tells of it", async () => {
  const deleted: string[] = [];
  const home = homeWithTrash(["a", "b"], async (name) => {
    if (name === "a") throw new Error("immutable");
    deleted.push(name);
  });
  await emptyTrashBehind(home, worker);
  expect(deleted).toEqual(["b"]);
  expect(home.warned).toEqual(["what was removed cannot be deleted"]);
});

describe("what a diff that could not be applied leaves", () => {
  /** Fails, and says by `log` when it is over and when what it left is deleted. */
  function applyIn(log: string[], signal?: AbortSignal, code: ErrorCode = "RESOURCE_EXHAUSTED") {
    let finish = (): void => {};
    const deleting = new Promise<void>((resolve) => (finish = resolve));
    const home = homeWithTrash([], async (name) => {
      await deleting;
      log.push(`deleted ${name}`);
    });
    const applied = withUndoBehind(home, worker, signal, async (name) => {
      writeFileSync(join(home.path, ".cleat/trash", name), "");
      throw new CleatError(code, "no space left");
    });
    const told = applied.catch((error: Error) => log.push(error.message));
    return { trash: () => readdirSync(join(home.path, ".cleat/trash")), told, finish };
  }

  it("is deleted behind, where the failure has nothing to do with room", async () => {
    const log: string[] = [];
    const { trash, told, finish } = applyIn(log, undefined, "INVALID_ARGUMENT");
    await told;
    expect(log).toEqual(["no space left"]);
    finish();
    await new Promise(setImmediate);
    expect(log).toEqual(["no space left", `deleted ${trash()[0]}`]);
  });

  it("is deleted before the failure is told, since the next try needs the room", async () => {
    const log: string[] = [];
    const { trash, told, finish } = applyIn(log);
    finish();
    await told;
    expect(log).toEqual([`deleted ${trash()[0]}`, "no space left"]);
  });

  it("keeps nobody waiting who has given up", async () => {
    const log: string[] = [];
    const { trash, told, finish } = applyIn(log, AbortSignal.abort());
    await told;
    expect(log).toEqual(["no space left"]);
    finish();
    await new Promise(setImmediate);
    expect(log).toEqual(["no space left", `deleted ${trash()[0]}`]);
  });

  it("is taken from where it was staged when the thread died that was to do it", async () => {
    const log: string[] = [];
    const home = homeWithTrash([], async (name) => void log.push(name));
    const staging = join(home.path, ".cleat/staging");
    mkdirSync(staging);
    let own = "";
    const applied = withUndoBehind(home, worker, undefined, async (name) => {
      own = name;
      for (const made of [name, exactNameOf(name), "another's"]) mkdirSync(join(staging, made));
      throw new CleatError("INTERNAL", "worker thread died");
    });
    await expect(applied).rejects.toThrow("worker thread died");
    await vi.waitFor(() => expect(log.toSorted()).toEqual([own, exactNameOf(own)].toSorted()));
    expect(readdirSync(staging)).toEqual(["another's"]);
    expect(home.warned).toEqual([]);
  });

  it("is not looked for where there is nothing, and costs no thread", async () => {
    const home = homeWithTrash([], () => Promise.reject(new Error("called")));
    const applied = withUndoBehind(home, worker, undefined, () => Promise.reject(new Error("not there")));
    await expect(applied).rejects.toThrow("not there");
    expect(home.warned).toEqual([]);
  });
});

import { expect, it } from "vitest";
import type { WorkerPool } from "../../workers/index.ts";
import { deleteTrashed, type TrashJobs } from "./delete-trashed.ts";

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

/** On Node 20 a thread cannot load TypeScript, so what runs here is built. */
import * as fs from "node:fs";
import { availableParallelism } from "node:os";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type * as Workers from "../../workers/index.ts";
import { readTree, useScratch } from "../tree/trees.test.support.ts";

const built = (path: string): string => new URL(`../../../dist/${path}`, import.meta.url).href;

/** The walker waits until its helper is there, whichever that is. */
const jobsSource = `
  import { writeFileSync } from "node:fs";
  import { copyFoldersUrl, copyTree, withFolderAt } from ${JSON.stringify(built("layer/index.js"))};
  import { createCopyQueue, serveCopies } from ${JSON.stringify(built("layer/copy/copy-beside.js"))};
  import { throwIfCancelled } from ${JSON.stringify(built("syscall/index.js"))};
  import { SystemError } from ${JSON.stringify(built("errors/index.js"))};
  import { askBeside } from ${JSON.stringify(built("workers/index.js"))};

  export function copy(from, to, helper) {
    let handed;
    const askHelp = (queue) => {
      const module = helper === "copyFolders" ? copyFoldersUrl : import.meta.url;
      askBeside({ job: { module, name: helper, args: [queue] }, state: queue.state });
      const isThere = () => Atomics.load(queue.control, 4) !== 0;
      for (let look = 0; look < 1000 && !isThere(); look++) Atomics.wait(queue.control, 4, 0, 10);
      handed = () => Atomics.load(queue.control, 0);
    };
    withFolderAt(from, (source) => withFolderAt(to, (target) => copyTree(source, target, askHelp)));
    return handed?.() ?? 0;
  }
  export function copyAlone(from, to) {
    withFolderAt(from, (source) => withFolderAt(to, (target) => copyTree(source, target)));
  }
  export const fillDisk = (queue) => serveCopies(queue, () => { throw new SystemError(28, "write", "name"); });
  export const die = (queue) => serveCopies(queue, () => process.exit(1));
  export const goOn = (queue) =>
    serveCopies(queue, () => {
      writeFileSync(process.env["CLEAT_TEST_HANDED"], "");
      for (;;) throwIfCancelled();
    });
`;

interface Jobs {
  copy(from: string, to: string, helper: string): number;
  copyAlone(from: string, to: string): void;
}

const scratch = useScratch();

/** What the process has open below one of the folders. */
function openBelow(...roots: readonly string[]): readonly string[] {
  const paths = fs.readdirSync("/proc/self/fd").flatMap((descriptor) => {
    try {
      return [fs.readlinkSync(`/proc/self/fd/${descriptor}`)];
    } catch {
      return []; // the one that listed the others
    }
  });
  return paths.filter((path) => roots.some((root) => path.startsWith(root)));
}

/** The lines that only one of two trees has, without what is in a file. */
function differences(...trees: readonly [Record<string, string>, Record<string, string>]): readonly string[] {
  const [one, other] = trees.map((tree) => Object.entries(tree).map(([name, line]) => `${name} ${line}`));
  const only = [...one!.filter((line) => !other!.includes(line)), ...other!.filter((line) => !one!.includes(line))];
  return only.map((line) => line.slice(0, 60));
}

/** Enough files that a helper is worth its start, in folders within folders. */
function fill(root: string): void {
  for (let folder = 0; folder < 40; folder++) {
    const path = `${root}/${folder % 2 === 0 ? `f${folder}` : `f${folder - 1}/f${folder}`}`;
    fs.mkdirSync(path, { recursive: true });
    for (let file = 0; file < 14; file++) fs.writeFileSync(`${path}/${file}`, `${folder} ${file} `.repeat(file ** 2));
    fs.linkSync(`${path}/1`, `${path}/another`);
    if (folder > 0) fs.linkSync(`${root}/f0/2`, `${path}/of-0`);
    fs.symlinkSync("1", `${path}/link`);
    // After the folder within it, in the order of a walk.
    fs.mkdirSync(`${path}/z`);
    fs.symlinkSync("1", `${path}/z-link`);
    fs.chmodSync(`${path}/3`, 0o4711);
    fs.truncateSync(`${path}/4`, 2 ** 20);
    fs.utimesSync(path, 1000.5, 1000.5);
  }
}

describe.skipIf(availableParallelism() === 1)("a copy of two threads", () => {
  let workers: typeof Workers;
  let pool: Workers.WorkerPool;
  let jobs: Workers.ModuleReference<Jobs>;
  let folder: string;

  beforeAll(async () => {
    workers = (await import(built("workers/index.js"))) as typeof Workers;
    pool = workers.createWorkerPool();
    folder = fs.mkdtempSync("/tmp/cleat-copy-");
    fs.writeFileSync(`${folder}/jobs.mjs`, jobsSource);
    jobs = { url: pathToFileURL(`${folder}/jobs.mjs`).href };
    process.env["CLEAT_TEST_HANDED"] = `${folder}/handed`;
  });
  afterAll(async () => {
    await pool.close();
    fs.rmSync(folder, { recursive: true });
  });

  it("is that of one, links among its files included", async () => {
    const [from, to, alone] = ["from", "to", "alone"].map((name) => scratch.folder(name)) as [string, string, string];
    fill(from);
    await pool.run(jobs, "copyAlone", from, alone);
    expect(await pool.run(jobs, "copy", from, to, "copyFolders")).toBeGreaterThan(0);
    expect(differences(readTree(to), readTree(from))).toEqual([]);
    expect(differences(readTree(to), readTree(alone))).toEqual([]);
    expect(openBelow(from, to)).toEqual([]);
  });

  it.each([
    ["fillDisk", "RESOURCE_EXHAUSTED", /ENOSPC.*write 'name'/],
    ["die", "INTERNAL", /thread that copies files died/],
  ])("fails where the other thread does (%s), and leaves nothing open", async (helper, code, message) => {
    const [from, to] = ["from", "to"].map((name) => scratch.folder(name)) as [string, string];
    fill(from);
    const failure = { code, message: expect.stringMatching(message) };
    await expect(pool.run(jobs, "copy", from, to, helper)).rejects.toMatchObject(failure);
    expect(openBelow(from, to)).toEqual([]);
  });

  it("ends when it is given up, with what the other thread is at", async () => {
    const [from, to] = ["from", "to"].map((name) => scratch.folder(name)) as [string, string];
    fill(from);
    const giveUp = new AbortController();
    const watcher = fs.watch(folder, () => {
      if (fs.existsSync(`${folder}/handed`)) giveUp.abort();
    });
    const copied = pool.within(giveUp.signal).run(jobs, "copy", from, to, "goOn");
    await expect(copied).rejects.toMatchObject({ code: "CANCELLED" });
    watcher.close();
    expect(openBelow(from, to)).toEqual([]);
  });
});

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { AssertionError } from "node:assert";
import type { ErrorCode } from "../../errors/index.ts";
import type { GraphDriver, GraphDriverFactory, OpenOptions } from "../../graphdriver/index.ts";
import { MNT_DETACH, readMounts, umount2 } from "../../syscall/index.ts";
import { createReplay, type Replay } from "../tree/replay.ts";
import { assertRefused, type Refusals } from "./refusals.ts";

/** What a check of graph drivers is given: a driver on an empty home, and what to compare it with. */
export interface GraphDriverContext extends AsyncDisposable {
  /** After `reopen` another object: ask the context each time. */
  readonly driver: GraphDriver;
  /** What the driver was opened on. */
  readonly home: string;
  /** A folder of the check's own, outside the home and on the same file system. */
  readonly scratch: string;
  /** An id that nothing has; what is made under it is removed after the check. */
  newId(): string;
  /** A flat folder on which the layer's history can be replayed. */
  newReplay(): Promise<Replay>;
  /** Closes the driver and opens it on the same home, with further options where the check needs some. */
  reopen(options?: Omit<OpenOptions, "home">): Promise<void>;
  /** Fails unless the call rejects with one of the codes, in one line that names the layer. */
  refused(call: Promise<unknown>, codes: ErrorCode | readonly ErrorCode[], layer: string): Promise<void>;
}

export interface ContextOptions {
  readonly open: GraphDriverFactory["open"];
  /** Where homes and scratch folders are made. */
  readonly folder: string;
  readonly refusals: Refusals;
}

export async function openGraphDriverContext({ open, folder, refusals }: ContextOptions): Promise<GraphDriverContext> {
  const root = await mkdtemp(join(folder, "graph-driver-kit-"));
  const home = join(root, "home");
  const scratch = join(root, "scratch");
  await mkdir(scratch);
  const ids: string[] = [];
  let replays = 0;
  let driver: GraphDriver;
  try {
    driver = await open({ home });
  } catch (error) {
    await rm(root, { recursive: true });
    throw error;
  }

  return {
    get driver() {
      return driver;
    },
    home,
    scratch,
    newId() {
      const id = `layer-${ids.length + 1}`;
      ids.push(id);
      return id;
    },
    async newReplay() {
      const path = join(scratch, `replay-${(replays += 1)}`);
      await mkdir(path);
      return createReplay(path);
    },
    async reopen(options) {
      await driver.close();
      driver = await open({ ...options, home });
    },
    refused: (call, codes, layer) => assertRefused(call, codes, layer, refusals),
    async [Symbol.asyncDispose]() {
      const removal = removeLayers(driver, ids).finally(() => driver.close());
      const [outcome] = await Promise.allSettled([removal]);
      const left = detachMounts(root);
      await rm(root, { recursive: true });
      if (outcome.status === "rejected") throw outcome.reason;
      if (left.length > 0) throw new AssertionError({ message: `left mounted after cleanup: ${left.join(", ")}` });
    },
  };
}

async function removeLayers(driver: GraphDriver, ids: readonly string[]): Promise<void> {
  // Children first: a driver may refuse to remove what others lie on.
  for (const id of ids.toReversed()) await driver.remove(id);
  await driver.cleanup();
}

/** Unmounts what a driver has left, so that its files can be deleted; says what that was. */
function detachMounts(root: string): string[] {
  const left = mountsBelow(root);
  for (const path of left.toReversed()) umount2(path, MNT_DETACH);
  return left;
}

export function mountsBelow(folder: string): string[] {
  return readMounts()
    .map(({ mountPoint }) => mountPoint)
    .filter((path) => path.startsWith(`${folder}/`));
}

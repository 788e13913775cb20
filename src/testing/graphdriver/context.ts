import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ErrorCode } from "../../errors/index.ts";
import type { GraphDriver, GraphDriverFactory, OpenOptions } from "../../graphdriver/index.ts";
import { createReplay, type Replay } from "../tree/replay.ts";
import { assertNoMounts, mountsBelow, type OpenedDriver, openDriver } from "./opened-driver.ts";
import { assertRefused, type Refusals } from "../refusals.ts";

/** What a check of graph drivers is given: a driver, and what to compare it with. */
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
  /** Whether the next check may get this one's driver. */
  readonly reuse: boolean;
}

/** Gives each check its context; disposing it closes what is still open. */
export interface ContextSource extends AsyncDisposable {
  openContext(): Promise<GraphDriverContext>;
}

export function createContextSource({ open, folder, refusals, reuse }: ContextOptions): ContextSource {
  let kept: OpenedDriver | undefined;

  async function take(): Promise<OpenedDriver> {
    const taken = kept ?? (await openDriver(open, folder));
    kept = undefined;
    return taken;
  }

  /** A driver that is not as it was, or may not be, is given to no other check. */
  async function putBack(opened: OpenedDriver, ids: readonly string[]): Promise<void> {
    try {
      // Children first: a driver may refuse to remove what others lie on.
      for (const id of ids.toReversed()) await opened.driver().remove(id);
      if (reuse && !opened.wasReopened()) assertNoMounts(mountsBelow(opened.home));
    } catch (error) {
      await opened.discard();
      throw error;
    }
    if (reuse && !opened.wasReopened()) kept = opened;
    else await opened.discard();
  }

  return {
    async openContext() {
      const opened = await take();
      const scratch = await mkdtemp(join(opened.scratch, "check-"));
      const ids: string[] = [];
      return {
        get driver() {
          return opened.driver();
        },
        home: opened.home,
        scratch,
        newId() {
          const id = opened.newId();
          ids.push(id);
          return id;
        },
        newReplay: async () => createReplay(await mkdtemp(join(scratch, "replay-"))),
        reopen: opened.reopen,
        refused: (call, codes, layer) => assertRefused(call, codes, layer, refusals),
        async [Symbol.asyncDispose]() {
          await putBack(opened, ids);
          await rm(scratch, { recursive: true, force: true });
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await kept?.discard();
    },
  };
}

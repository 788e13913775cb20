import { AssertionError } from "node:assert";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { GraphDriver, GraphDriverFactory, OpenOptions } from "../../graphdriver/index.ts";
import { MNT_DETACH, readMounts, umount2 } from "../../syscall/index.ts";

/** A driver on a home of its own, and what the kit knows of it. */
export interface OpenedDriver {
  readonly home: string;
  /** Beside the home, on the same file system. */
  readonly scratch: string;
  driver(): GraphDriver;
  newId(): string;
  reopen(options?: Omit<OpenOptions, "home">): Promise<void>;
  /** Whether it was opened anew, perhaps with options that another check would not expect. */
  wasReopened(): boolean;
  /**
   * Closes it, after unmounting everything, and deletes the home.
   * @throws AssertionError when something is mounted below the home all the same; it is unmounted then.
   */
  discard(): Promise<void>;
}

export async function openDriver(open: GraphDriverFactory["open"], folder: string): Promise<OpenedDriver> {
  const root = await mkdtemp(join(folder, "graph-driver-kit-"));
  const home = join(root, "home");
  const scratch = join(root, "scratch");
  let ids = 0;
  let reopened = false;
  let driver: GraphDriver;
  try {
    await mkdir(scratch);
    driver = await open({ home });
  } catch (error) {
    await rm(root, { recursive: true });
    throw error;
  }
  return {
    home,
    scratch,
    driver: () => driver,
    newId: () => `layer-${(ids += 1)}`,
    async reopen(options) {
      reopened = true;
      await driver.close();
      driver = await open({ ...options, home });
    },
    wasReopened: () => reopened,
    async discard() {
      const [outcome] = await Promise.allSettled([driver.cleanup().finally(() => driver.close())]);
      const left = mountsBelow(root);
      for (const path of left.toReversed()) umount2(path, MNT_DETACH);
      await rm(root, { recursive: true });
      if (outcome.status === "rejected") throw outcome.reason;
      assertNoMounts(left);
    },
  };
}

export function assertNoMounts(left: readonly string[]): void {
  if (left.length > 0) throw new AssertionError({ message: `left mounted: ${left.join(", ")}` });
}

export function mountsBelow(folder: string): string[] {
  return readMounts()
    .map(({ mountPoint }) => mountPoint)
    .filter((path) => path.startsWith(`${folder}/`));
}

import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { CleatError, isSystemError, toCleatError } from "../errors/index.ts";
import type { GraphDriver, GraphDriverFactory, OpenOptions } from "../graphdriver/index.ts";
import type { Logger } from "../transport/index.ts";

/** The best driver, the one that works everywhere, and how to see whose store a home is. */
export interface Candidates {
  readonly best: GraphDriverFactory;
  readonly everywhere: GraphDriverFactory;
}

/**
 * Opens the best driver that works under a home, and again the same one for a home that holds layers already: a store
 * must not change its driver because a kernel has changed.
 */
export function createAutomaticDriver({ best, everywhere }: Candidates, logger: Logger): GraphDriverFactory {
  return {
    name: "auto",
    async open(options): Promise<GraphDriver> {
      const owner = await ownerOf(options.home, { best, everywhere });
      if (owner !== undefined) return owner.open(options);
      try {
        return await best.open(options);
      } catch (error) {
        if (!isLackOfAbility(error)) throw error;
        const reason = toCleatError(error).message;
        logger.warn(
          { home: options.home, reason },
          `${best.name} does not work here; ${everywhere.name} is used instead`,
        );
        return everywhere.open(options);
      }
    },
  };
}

/**
 * What would be chosen for homes under `root`, and why it is not the best one. Tries it in a folder that is removed
 * again.
 */
export async function tryBestUnder(root: string, best: GraphDriverFactory): Promise<string | undefined> {
  await mkdir(root, { recursive: true, mode: 0o711 });
  const home = await mkdtemp(join(root, ".try-"));
  try {
    const driver = await best.open({ home });
    await driver.close();
    return undefined;
  } catch (error) {
    if (!isLackOfAbility(error)) throw error;
    return toCleatError(error).message;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** Docker's layouts: `l/` holds links in an overlay2 store, `dir/` the layers in one of vfs. */
async function ownerOf(home: OpenOptions["home"], { best, everywhere }: Candidates) {
  if (await holdsSomething(join(home, "l"))) return best;
  return (await holdsSomething(join(home, "dir"))) ? everywhere : undefined;
}

async function holdsSomething(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length > 0;
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}

function isLackOfAbility(error: unknown): boolean {
  return error instanceof CleatError && error.code === "UNIMPLEMENTED";
}

import { CleatError } from "../../../errors/index.ts";
import { joinFailures } from "../../../errors/kit.ts";
import type { RemoveOptions } from "../../driver.ts";
import { createRelations, type Parents, put, take } from "./relations.ts";

/** Which of a home's layers lie on which, so that none loses the one that it lies on. */
export interface Lineage {
  /** Makes a layer on `parent`, which meanwhile is not removed; waits for a removal that has begun. */
  making<T>(id: string, parent: string | undefined, make: () => Promise<T>): Promise<T>;
  /**
   * Lays a layer, on which none may lie, on another `parent` or on none; otherwise as `making`. Where it lies then is
   * what `readParent` says, whatever became of `move`.
   * @throws FAILED_PRECONDITION when another layer lies on it.
   */
  moving<T>(
    id: string,
    parent: string | undefined,
    move: () => Promise<T>,
    readParent: () => string | undefined,
  ): Promise<T>;
  /**
   * Removes a layer. What lies on what is read once, at the first call, and kept from then on; anew as long as there
   * are layers of which that cannot be told.
   * @throws FAILED_PRECONDITION when another layer lies on it, or may, unless it goes `evenWithChildren`.
   */
  removing<T>(id: string, options: RemovalOptions, remove: () => Promise<T>): Promise<T>;
}

type RemovalOptions = Pick<RemoveOptions, "evenWithChildren" | "mayLieOn">;

export interface LineageSources {
  /** Costs a look at each layer. */
  readParents(): Promise<Parents>;
  exists(id: string): Promise<boolean>;
}

/** Calls for one layer come one after another (`layer-locks.ts`). */
export function createLineage({ readParents, exists }: LineageSources): Lineage {
  const relations = createRelations(readParents);
  /** By the parent, those that are being made. */
  const coming = new Map<string, Set<string>>();
  const leaving = new Map<string, Promise<unknown>>();

  /** One that is leaving does not count, but is waited for. */
  async function childOf(id: string): Promise<string | undefined> {
    for (;;) {
      const children = [...relations.childrenOf(id), ...(coming.get(id) ?? [])];
      const staying = children.find((child) => !leaving.has(child));
      const [first] = children;
      if (staying !== undefined || first === undefined) return staying;
      await leaving.get(first);
    }
  }

  function assertNoneMayLieOn(id: string, what: string, mayLieOn: (other: string) => boolean = () => true): void {
    const child = relations.unreadFor(id).find((one) => !leaving.has(one) && mayLieOn(one));
    if (child === undefined) return;
    const message = `layer "${id}" cannot ${what}: layer "${child}" may lie on it, whose files cannot be read now`;
    throw new CleatError("FAILED_PRECONDITION", message);
  }

  async function removeUnlessParent<T>(
    id: string,
    { evenWithChildren = false, mayLieOn }: RemovalOptions,
    remove: () => Promise<T>,
  ): Promise<T> {
    if (!evenWithChildren) {
      await relations.read();
      const child = await childOf(id);
      if (child !== undefined && (await exists(id))) throw hasChild(id, child, "be removed");
      if (relations.unreadFor(id).length > 0 && (await exists(id))) assertNoneMayLieOn(id, "be removed", mayLieOn);
    }
    const removed = await remove();
    relations.forget(id);
    return removed;
  }

  /** What is to lie on a parent keeps it from when it may until it does. */
  async function laying<T>(id: string, parent: string | undefined, lay: () => Promise<T>): Promise<T> {
    if (parent !== undefined) {
      for (let removal = leaving.get(parent); removal !== undefined; removal = leaving.get(parent)) await removal;
      put(coming, parent, id);
    }
    try {
      return await lay();
    } finally {
      if (parent !== undefined) take(coming, parent, id);
    }
  }

  return {
    making: (id, parent, make) =>
      laying(id, parent, async () => {
        const made = await make();
        relations.made(id, parent);
        return made;
      }),

    async moving(id, parent, move, readParent) {
      await relations.read();
      const child = await childOf(id);
      if (child !== undefined) throw hasChild(id, child, "be laid on another");
      assertNoneMayLieOn(id, "be laid on another");
      return laying(id, parent, async () => {
        const laid = () => relations.laid(id, readParent);
        const moved = await move().catch((failure: unknown) => Promise.reject(failedAnd(failure, laid)));
        laid();
        return moved;
      });
    },

    async removing(id, options, remove) {
      const removal = removeUnlessParent(id, options, remove);
      leaving.set(id, removal.then(ignore, ignore));
      try {
        return await removal;
      } finally {
        leaving.delete(id);
      }
    },
  };
}

/** The failure, also where what comes after it fails. */
function failedAnd(failure: unknown, then: () => void): unknown {
  try {
    then();
    return failure;
  } catch (error) {
    return joinFailures(failure, error, "nobody can say now on what it lies");
  }
}

function hasChild(id: string, child: string, what: string): CleatError {
  return new CleatError("FAILED_PRECONDITION", `layer "${id}" cannot ${what}: layer "${child}" lies on it`);
}

function ignore(): void {}

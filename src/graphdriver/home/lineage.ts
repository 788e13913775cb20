import { CleatError } from "../../errors/index.ts";
import type { RemoveOptions } from "../driver.ts";

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

/** `undefined` for a layer of which the disk does not tell now whether it lies on another. */
export type Parents = readonly (readonly [id: string, parent: string | undefined])[];

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
  /** Those that this process has made: what lies on one, it has laid there. */
  const own = new Set<string>();

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
    if (own.has(id)) return;
    const child = relations.unread().find((one) => one !== id && !leaving.has(one) && mayLieOn(one));
    if (child === undefined) return;
    const message = `layer "${id}" cannot ${what}: layer "${child}" may lie on it, whose files cannot be read now`;
    throw new CleatError("FAILED_PRECONDITION", message);
  }

  /** Where a layer lies that may have been moved. What cannot be told now may be that it lies on any. */
  function learn(id: string, readParent: () => string | undefined): void {
    relations.forget(id);
    try {
      const parent = readParent();
      if (parent !== undefined) relations.add(id, parent);
    } catch (error) {
      relations.doubt(id);
      own.clear();
      throw error;
    }
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
      if (relations.unread().length > 0 && (await exists(id))) assertNoneMayLieOn(id, "be removed", mayLieOn);
    }
    const removed = await remove();
    relations.forget(id);
    own.delete(id);
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
        own.add(id);
        if (parent !== undefined) relations.add(id, parent);
        return made;
      }),

    async moving(id, parent, move, readParent) {
      await relations.read();
      const child = await childOf(id);
      if (child !== undefined) throw hasChild(id, child, "be laid on another");
      assertNoneMayLieOn(id, "be laid on another");
      return laying(id, parent, async () => {
        try {
          return await move();
        } finally {
          learn(id, readParent);
        }
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

/** What lies on what: of layers that this process made, and from `read` on of all. */
interface Relations {
  /** Costs what `readParents` does, once; a call that fails is made anew by the next. */
  read(): Promise<void>;
  add(id: string, parent: string): void;
  /** The layer is gone, or lies elsewhere. */
  forget(id: string): void;
  /** It is not known any more on what the layer lies, and `read` anew. */
  doubt(id: string): void;
  childrenOf(id: string): Iterable<string>;
  /** Layers of which it could not be told. */
  unread(): readonly string[];
}

function createRelations(readParents: () => Promise<Parents>): Relations {
  const parentOf = new Map<string, string>();
  const childrenOf = new Map<string, Set<string>>();
  /** Layers that went while parents were being read. */
  const gone = new Set<string>();
  const unread = new Set<string>();
  let reading: Promise<void> | undefined;
  let isRead = false;

  function add(id: string, parent: string): void {
    parentOf.set(id, parent);
    put(childrenOf, parent, id);
  }

  async function readAll(): Promise<void> {
    const found = await readParents();
    unread.clear();
    for (const [id, parent] of found) {
      if (parentOf.has(id) || gone.has(id)) continue;
      if (parent === undefined) unread.add(id);
      else add(id, parent);
    }
    isRead = unread.size === 0;
    if (isRead) gone.clear();
    else reading = undefined;
  }

  return {
    add,
    childrenOf: (id) => childrenOf.get(id) ?? [],
    unread: () => [...unread],
    doubt(id) {
      unread.add(id);
      gone.delete(id);
      isRead = false;
      reading = undefined;
    },
    forget(id) {
      unread.delete(id);
      const parent = parentOf.get(id);
      parentOf.delete(id);
      if (!isRead) gone.add(id);
      if (parent !== undefined) take(childrenOf, parent, id);
    },
    async read() {
      reading ??= readAll();
      try {
        await reading;
      } catch (error) {
        reading = undefined;
        throw error;
      }
    },
  };
}

function put(sets: Map<string, Set<string>>, key: string, value: string): void {
  sets.set(key, (sets.get(key) ?? new Set<string>()).add(value));
}

function take(sets: Map<string, Set<string>>, key: string, value: string): void {
  const set = sets.get(key);
  set?.delete(value);
  if (set?.size === 0) sets.delete(key);
}

function hasChild(id: string, child: string, what: string): CleatError {
  return new CleatError("FAILED_PRECONDITION", `layer "${id}" cannot ${what}: layer "${child}" lies on it`);
}

function ignore(): void {}

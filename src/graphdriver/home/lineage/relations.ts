/** `undefined` for a layer of which the disk does not tell now whether it lies on another. */
export type Parents = readonly (readonly [id: string, parent: string | undefined])[];

/** What lies on what: of layers that this process made, and from `read` on of all. */
export interface Relations {
  /** Costs what `readParents` does, once; a call that fails is made anew by the next. */
  read(): Promise<void>;
  made(id: string, parent: string | undefined): void;
  /** The layer lies on another one now, or may. Where that cannot be read it may be any, until `read` succeeds. */
  laid(id: string, readParent: () => string | undefined): void;
  /** The layer is gone. */
  forget(id: string): void;
  childrenOf(id: string): Iterable<string>;
  /** Layers of which it could not be told, if they may lie on this one. */
  unreadFor(id: string): readonly string[];
}

export function createRelations(readParents: () => Promise<Parents>): Relations {
  const parentOf = new Map<string, string>();
  const childrenOf = new Map<string, Set<string>>();
  /** Layers that went while parents were being read. */
  const gone = new Set<string>();
  const unread = new Set<string>();
  /** Those that this process has made: what lies on one, it has laid there. */
  const own = new Set<string>();
  let reading: Promise<void> | undefined;
  let isRead = false;
  /** How often a layer was laid elsewhere: of such ones nothing is believed that was read before. */
  let layings = 0;

  function add(id: string, parent: string): void {
    parentOf.set(id, parent);
    put(childrenOf, parent, id);
  }

  function drop(id: string): void {
    unread.delete(id);
    const parent = parentOf.get(id);
    parentOf.delete(id);
    if (parent !== undefined) take(childrenOf, parent, id);
  }

  async function readAll(): Promise<void> {
    const layingsBefore = layings;
    const found = await readParents();
    if (layings !== layingsBefore) return readAll();
    unread.clear();
    for (const [id, parent] of found) {
      if (own.has(id) || parentOf.has(id) || gone.has(id)) continue;
      if (parent === undefined) unread.add(id);
      else add(id, parent);
    }
    isRead = unread.size === 0;
    if (isRead) gone.clear();
    else reading = undefined;
  }

  return {
    made(id, parent) {
      own.add(id);
      gone.delete(id);
      if (parent !== undefined) add(id, parent);
    },
    laid(id, readParent) {
      drop(id);
      layings++;
      try {
        const parent = readParent();
        if (parent !== undefined) add(id, parent);
      } catch (error) {
        unread.add(id);
        own.clear();
        [isRead, reading] = [false, undefined];
        throw error;
      }
    },
    childrenOf: (id) => childrenOf.get(id) ?? [],
    unreadFor: (id) => (own.has(id) ? [] : [...unread].filter((one) => one !== id)),
    forget(id) {
      own.delete(id);
      drop(id);
      if (!isRead) gone.add(id);
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

export function put(sets: Map<string, Set<string>>, key: string, value: string): void {
  sets.set(key, (sets.get(key) ?? new Set<string>()).add(value));
}

export function take(sets: Map<string, Set<string>>, key: string, value: string): void {
  const set = sets.get(key);
  set?.delete(value);
  if (set?.size === 0) sets.delete(key);
}

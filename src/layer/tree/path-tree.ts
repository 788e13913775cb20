/**
 * What is noted of folders, by their clean paths. To go down to one costs a look at one name for each step, and ends
 * where nothing is noted further down: who asked for each folder on the way by its whole path would read the square of
 * the path's length, and an archive can ask for that with each of its entries.
 */
export interface PathTree<Value> {
  get(path: string): Value | undefined;
  /** Notes `value` at `path`; how many folders on the way were new to the tree, each of which takes memory. */
  set(path: string, value: Value): number;
  /** As `set`, of the last folders on the way to `path`, of which each has one of `values`. */
  setLast(path: string, values: readonly Value[]): number;
  /**
   * Visits what is noted on the way to `path`, the root's first and its own last, with where the path of each ends;
   * whether `visit` said that it is enough.
   */
  along(path: string, visit: (value: Value, end: number) => boolean): boolean;
  /** Forgets what is noted at `path` and below it. */
  drop(path: string): void;
  clear(): void;
}

/** What V8 takes for a folder on the way. */
export const pathNodeBytes = 256;

interface PathNode<Value> {
  value: Value | undefined;
  below: Map<string, PathNode<Value>> | undefined;
}

export function createPathTree<Value>(): PathTree<Value> {
  let root = newNode<Value>();

  /** Goes down as far as there are nodes; `visit` may end it. */
  function walk(path: string, visit: (node: PathNode<Value>, end: number) => boolean): boolean {
    if (visit(root, 0)) return true;
    let node: PathNode<Value> | undefined = root;
    for (let start = 0; start < path.length;) {
      const end = endOfName(path, start);
      node = node.below?.get(path.slice(start, end));
      if (node === undefined) return false;
      if (visit(node, end)) return true;
      start = end + 1;
    }
    return false;
  }

  function setLast(path: string, values: readonly Value[]): number {
    const way = [root];
    let made = 0;
    for (let start = 0; start < path.length;) {
      const end = endOfName(path, start);
      const name = path.slice(start, end);
      const node = way.at(-1) as PathNode<Value>;
      node.below ??= new Map();
      let next = node.below.get(name);
      if (next === undefined) {
        made++;
        node.below.set(name, (next = newNode()));
      }
      way.push(next);
      start = end + 1;
    }
    for (const [at, node] of way.slice(-values.length).entries()) node.value = values[at];
    return made;
  }

  return {
    get(path) {
      let found: Value | undefined;
      walk(path, ({ value }, end) => {
        if (end === path.length) found = value;
        return false;
      });
      return found;
    },
    set: (path, value) => setLast(path, [value]),
    setLast,
    along: (path, visit) => walk(path, ({ value }, end) => value !== undefined && visit(value, end)),
    drop(path) {
      if (path === "") root = newNode();
      const at = path.lastIndexOf("/");
      walk(path.slice(0, Math.max(0, at)), (node, end) => {
        if (end === Math.max(0, at)) node.below?.delete(path.slice(at + 1));
        return false;
      });
    },
    clear: () => void (root = newNode()),
  };
}

function newNode<Value>(): PathNode<Value> {
  return { value: undefined, below: undefined };
}

function endOfName(path: string, start: number): number {
  const end = path.indexOf("/", start);
  return end < 0 ? path.length : end;
}

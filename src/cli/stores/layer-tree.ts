import { childrenByParent, type DescribedLayer } from "../../layerstore/index.ts";

/** A layer in its place in the drawing. */
export interface TreeRow {
  readonly layer: DescribedLayer;
  /** What is drawn before its name: "├─● ". */
  readonly branch: string;
}

/**
 * Layers as a tree, each below the one it lies on. Where only one layer lies on another, both stand in one column, so
 * that a stack of a hundred layers is as narrow as one: `●` begins a column, `│` goes on in it.
 */
export function drawTree(layers: readonly DescribedLayer[]): TreeRow[] {
  const children = childrenByParent(layers);
  const rows: TreeRow[] = [];
  const pending = (children.get(undefined) ?? []).map((layer) => ({ layer, branch: "● ", indent: "" })).toReversed();
  const drawn = new Set<string>();
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { layer, branch, indent } = next;
    rows.push({ layer, branch });
    drawn.add(layer.id);
    const above = children.get(layer.id) ?? [];
    const placed = above.map((child, at) => {
      if (above.length === 1) return { layer: child, branch: `${indent}│ `, indent };
      const isLast = at === above.length - 1;
      return {
        layer: child,
        branch: `${indent}${isLast ? "└─● " : "├─● "}`,
        indent: `${indent}${isLast ? "  " : "│ "}`,
      };
    });
    pending.push(...placed.toReversed());
  }
  // Layers that lie on each other in a circle hang on nothing.
  return [...rows, ...layers.filter(({ id }) => !drawn.has(id)).map((layer) => ({ layer, branch: "↻ " }))];
}

/** Docker's 64 digits as its own tables show them; other ids are names, and stay. */
export function shortId(id: string): string {
  return id.replace(/^([0-9a-f]{12})[0-9a-f]{52}(?=$|-init$)/, "$1");
}

import { childrenByParent, type DescribedLayer } from "../../layerstore/index.ts";

/** Lengths of the drawing, in pixels. */
export const boxWidth = 232;
export const boxHeight = 36;
const columnStep = boxWidth + 44;
const gap = 12;

export interface PlacedLayer {
  readonly layer: DescribedLayer;
  readonly x: number;
  readonly y: number;
  /** The layer that this one lies on, where a line leads to it: one right below it in its stack needs none. */
  readonly from: { readonly x: number; readonly y: number } | undefined;
}

export interface Layout {
  readonly placed: readonly PlacedLayer[];
  readonly width: number;
  readonly height: number;
}

/**
 * Places layers: those that lie on one another alone in a stack, from the top down; where several lie on one, each
 * begins a stack in the next column. The trees fill columns of about the height that makes the whole a third wider than
 * high.
 */
export function placeLayers(layers: readonly DescribedLayer[]): Layout {
  const children = childrenByParent(layers);
  const trees = (children.get(undefined) ?? []).map((root) => placeTree(root, children));
  const area = trees.reduce((sum, { width, height }) => sum + (width + gap) * (height + gap), 0);
  const pageHeight = Math.max(Math.sqrt(area * 0.75), ...trees.map(({ height }) => height));
  const placed: PlacedLayer[] = [];
  let [x, y, columnWidth, height] = [0, 0, 0, 0];
  for (const tree of trees) {
    if (y > 0 && y + tree.height > pageHeight) [x, y, columnWidth] = [x + columnWidth + 2 * gap, 0, 0];
    placed.push(...tree.placed.map((layer) => shift(layer, x, y)));
    columnWidth = Math.max(columnWidth, tree.width);
    height = Math.max(height, y + tree.height);
    y += tree.height + gap;
  }
  return { placed, width: x + columnWidth, height };
}

function shift({ layer, x, y, from }: PlacedLayer, right: number, down: number): PlacedLayer {
  return { layer, x: x + right, y: y + down, from: from && { x: from.x + right, y: from.y + down } };
}

type Children = ReadonlyMap<string | undefined, readonly DescribedLayer[]>;

interface Start {
  readonly layer: DescribedLayer;
  readonly column: number;
  readonly from: PlacedLayer["from"];
}

/**
 * Stacks are placed in the order of the tree, each where its parent ends or below what stands in its column and beyond.
 */
function placeTree(root: DescribedLayer, children: Children): Layout {
  const placed: PlacedLayer[] = [];
  const pending: Start[] = [{ layer: root, column: 0, from: undefined }];
  const filledTo: number[] = [];
  let [width, height] = [0, 0];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { column, from } = next;
    const x = column * columnStep;
    let y = Math.max(from?.y ?? 0, ...filledTo.slice(column));
    let layer: DescribedLayer | undefined = next.layer;
    for (let isFirst = true; layer !== undefined; isFirst = false, y += boxHeight) {
      placed.push({ layer, x, y, from: isFirst ? from : undefined });
      const above: readonly DescribedLayer[] = children.get(layer.id) ?? [];
      const end = { x, y };
      if (above.length > 1)
        pending.push(...above.map((child) => ({ layer: child, column: column + 1, from: end })).toReversed());
      layer = above.length === 1 ? above[0] : undefined;
    }
    filledTo[column] = y + gap;
    for (let before = 0; before < column; before++) filledTo[before] ??= 0;
    width = Math.max(width, x + boxWidth);
    height = Math.max(height, y);
  }
  return { placed, width, height };
}

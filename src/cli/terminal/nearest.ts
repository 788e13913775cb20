/** What `typed` was probably meant to be: what it begins, or differs from in a third of its letters at most. */
export function findNearest(typed: string, known: readonly string[]): string | undefined {
  const text = typed.toLowerCase();
  const begun = known.find((word) => /\w\w/.test(text) && word.toLowerCase().startsWith(text));
  if (begun !== undefined || text.length > maxCharacters) return begun;
  const [best] = known
    .map((word) => ({ word, distance: editDistance(text, word.toLowerCase()) }))
    .toSorted((one, other) => one.distance - other.distance);
  return best !== undefined && best.distance <= Math.max(1, text.length / 3) ? best.word : undefined;
}

/** Nothing that is longer was meant to be a command or an option; the cost is that of a square. */
const maxCharacters = 50;

/** How many letters are to be put in, left out, replaced, or swapped with their neighbour. */
function editDistance(from: string, to: string): number {
  let [beforeLast, last]: number[][] = [[], Array.from({ length: to.length + 1 }, (_, index) => index)];
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (isSame ? 0 : 1),
        isSwapped ? at(beforeLast, column - 2) + 1 : Infinity,
      );
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, to.length);
}

const at = (row: readonly number[] = [], column: number) => row[column] ?? Infinity;

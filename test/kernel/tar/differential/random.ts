/** Numbers that look random and are the same for the same seed (mulberry32). */
export interface Random {
  /** From 0 to `below` − 1. */
  int(below: number): number;
  pick<T>(list: readonly T[]): T;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const int = (below: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return Math.floor((((word ^ (word >>> 14)) >>> 0) / 2 ** 32) * below);
  };
  return { int, pick: (list) => list[int(list.length)] as (typeof list)[number] };
}

/**
 * Which branches an input took that none took before, or as often: counts are told apart as 1, 2, 3, 4–7, 8–15, 16–31,
 * 32–127, more.
 */
const bucketOf = new Uint8Array(256).map((_, count) =>
  count < 4 ? [0, 1, 2, 4][count] : count < 8 ? 8 : count < 16 ? 16 : count < 32 ? 32 : count < 128 ? 64 : 128,
);

export function createCoverage() {
  const seen = new Uint8Array(globalThis.fuzzCoverage.hits.length);
  return {
    /** Before an input. */
    clear: () => void globalThis.fuzzCoverage.used().fill(0),
    /** After it: how many of its counts are new. They are seen from now on. */
    takeNew() {
      const hits = globalThis.fuzzCoverage.used();
      const words = new BigUint64Array(hits.buffer, hits.byteOffset, hits.length / 8);
      let found = 0;
      for (let word = 0; word < words.length; word++) {
        if (words[word] === 0n) continue;
        for (let at = word * 8; at < word * 8 + 8; at++) {
          const bucket = bucketOf[hits[at]];
          if ((bucket & ~seen[at]) === 0) continue;
          seen[at] |= bucket;
          found++;
        }
      }
      return found;
    },
    /** Branches taken at all. */
    get branches() {
      return seen.reduce((total, buckets) => total + (buckets === 0 ? 0 : 1), 0);
    },
  };
}

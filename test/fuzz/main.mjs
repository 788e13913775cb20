/**
 * `node --import ./test/fuzz/register.mjs test/fuzz/main.mjs TARGET SECONDS SEED [keep]`: fuzzes one target. Prints a
 * line of JSON; faults as inputs in base64. With `keep`, what takes new ways joins the corpus.
 */
import { readCorpus, writeCorpus } from "./corpus.mjs";
import { fuzz, minimize } from "./fuzz-loop.mjs";

const [name, seconds, seed, keep] = process.argv.slice(2);
const target = await import(`./targets/${name}.mjs`);
const corpus = readCorpus(name);
const { pool, faults, ...counts } = await fuzz(target, corpus, { seconds: Number(seconds), seed: Number(seed) });
for (const { error, input } of faults) console.error(`${error?.stack ?? error}\n  input: ${input.toString("base64")}`);
console.log(JSON.stringify({ target: name, ...counts, faults: faults.length }));
if (keep !== undefined) {
  const regressions = corpus.filter(({ fault }) => fault !== undefined);
  const found = await minimize(target, pool);
  writeCorpus(name, [...regressions, ...found.slice(0, Number(keep)).map((input) => ({ input }))]);
}
await target.close?.();
process.exit(faults.length === 0 ? 0 : 1);

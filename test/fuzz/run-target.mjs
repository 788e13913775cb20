import { CleatError } from "#dist/errors/index.js";

/** So long may one input take: what a peer can hold up by it. */
const maxMs = 2_000;

/**
 * Runs one input. Resolves when the target takes it, or refuses it by an error of the contract.
 * @throws anything else, and where it took too long.
 */
export async function runTarget(target, input) {
  const startedMs = performance.now();
  try {
    const running = target.run(input);
    if (running instanceof Promise) await running;
  } catch (error) {
    if (!(error instanceof CleatError) || ["INTERNAL", "UNKNOWN"].includes(error.code)) throw error;
    if (target.codes !== undefined && !target.codes.includes(error.code)) throw error;
    if (error.message.includes("\n") || error.message.length > 10_000)
      throw new Error("its message is no line", { cause: error });
  }
  const tookMs = performance.now() - startedMs;
  if (tookMs > maxMs) throw new Error(`took ${Math.round(tookMs)} ms`);
}

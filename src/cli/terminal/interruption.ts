import { CleatError } from "../../errors/index.ts";
import type { CommandContext } from "./command.ts";

/** A signal that aborts when the user or the system ends the command, which then puts away what it has begun. */
export function watchForInterruption({ closingSignals }: Pick<CommandContext, "closingSignals">): Disposable & {
  readonly signal: AbortSignal;
} {
  const controller = new AbortController();
  const stop = () => controller.abort(new CleatError("CANCELLED", "it was interrupted"));
  for (const signal of closingSignals) process.on(signal, stop);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const signal of closingSignals) process.off(signal, stop);
    },
  };
}

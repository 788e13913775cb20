import type { Call, CallOptions } from "../../protocol/index.ts";

/**
 * A call's signal, as drivers take it. It is made when the driver asks for it: most calls end before, and a signal
 * costs more than all the rest of a small call.
 */
export function toCallOptions(call: Pick<Call, "signal">): Pick<CallOptions, "signal"> {
  return new SignalOf(call);
}

class SignalOf {
  readonly #call: Pick<Call, "signal">;

  constructor(call: Pick<Call, "signal">) {
    this.#call = call;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }
}

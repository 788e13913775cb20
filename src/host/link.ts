import { setMaxListeners } from "node:events";
import { TransportError } from "../errors/index.ts";
import type { Logger, Transport } from "../transport/index.ts";
import { type Activation, createActivations } from "./activations.ts";
import { type BreakerCall, createCircuitBreaker } from "./circuit-breaker.ts";
import type { ClientPolicy } from "./client-policy.ts";
import type { Discovery } from "./discovery/discovery.ts";
import type { FoundPlugin } from "./discovery/look-up/found-plugin.ts";
import { unlessAborted } from "./give-up.ts";
import { createOutcomeTeller } from "./outcome.ts";
import { sendWithRetries } from "./send-with-retries.ts";

export interface LinkOptions {
  readonly name: string;
  readonly discovery: Discovery;
  readonly policy: ClientPolicy;
  readonly logger: Logger;
  /** Called each time a program has been activated. */
  onActivated(): void;
}

export interface ActivateHow {
  readonly insisting?: boolean;
  readonly found?: FoundPlugin;
}

/** A registry's line to one plugin: activation when it is needed, retries, circuit breaker. */
export interface Link {
  readonly name: string;
  /** The last activation; whoever it was may be gone. */
  readonly active: Activation | undefined;
  /**
   * Makes sure that who answers now has been activated, once for any number of callers. A failure is forgotten.
   * `insisting` asks also while the circuit breaker is open; whoever has just looked says what was `found`. Rejects
   * with the signal's reason when that aborts.
   * @throws UNAVAILABLE while the circuit breaker is open, CANCELLED when it is closed, else as `Activations.lookUp`.
   */
  activate(signal?: AbortSignal, how?: ActivateHow): Promise<Activation>;
  readonly transport: Transport;
  /** Drops every connection, and fails what is under way. */
  close(): void;
}

export function createLink({ name, discovery, policy, logger, onActivated }: LinkOptions): Link {
  const breaker = createCircuitBreaker(name, policy.breaker);
  const closing = new AbortController();
  setMaxListeners(0, closing.signal); // every connection listens
  const activations = createActivations({
    name,
    discovery,
    policy,
    logger,
    closing: closing.signal,
    onActivated,
    onReplaced: breaker.reset,
  });

  /** A new program is not to suffer for the last one. What else is wrong with the files, the call itself will say. */
  async function noticeReplacement(signal: AbortSignal | undefined): Promise<void> {
    try {
      await unlessAborted(activations.find(), signal);
    } catch (error) {
      if (signal?.aborted === true) throw error;
    }
  }

  /** `caller` may make its signal when it is asked for it. */
  async function callThroughBreaker<T>(
    caller: { readonly signal?: AbortSignal | undefined },
    work: (call: BreakerCall) => Promise<T>,
  ): Promise<T> {
    closing.signal.throwIfAborted();
    if (breaker.isOpen) await noticeReplacement(caller.signal);
    const call = breaker.begin();
    const startedMs = performance.now();
    try {
      return await work(call);
    } catch (error) {
      const { signal } = caller;
      outcomes.failed(call, signal?.aborted === true ? signal.reason : error, performance.now() - startedMs);
      throw error;
    }
  }

  const sending = { name, policy, logger, activations, closing: closing.signal };
  const outcomes = createOutcomeTeller(policy.breaker ?? {}, () => {
    if (activations.last !== undefined) activations.suspect(activations.last);
  });

  return {
    name,
    get active() {
      return activations.last;
    },
    async activate(signal, { insisting = false, found } = {}) {
      closing.signal.throwIfAborted();
      const known = activations.last;
      if (insisting) {
        const activation = await unlessAborted(activations.lookUp(), signal);
        if (activation !== known) breaker.reset();
        return activation;
      }
      return callThroughBreaker({ signal }, async (call) => {
        const activation = await unlessAborted(activations.lookUp(found), signal);
        if (activation === known) call.gaveUp(); // nobody was asked
        else call.answered();
        return activation;
      });
    },
    transport: {
      get address() {
        return activations.last?.connection.address ?? "an unknown address";
      },
      send: (wire) =>
        callThroughBreaker(wire, async (call) => {
          const startedMs = performance.now();
          const reply = await sendWithRetries(wire, sending);
          outcomes.began(call, reply, wire, startedMs);
          return reply;
        }),
      async close() {}, // the registry's to close
    },
    close() {
      closing.abort(
        new TransportError("CANCELLED", `plugin "${name}": its registry was closed`, { reachedPeer: true }),
      );
    },
  };
}

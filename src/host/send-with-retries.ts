import { TransportError } from "../errors/index.ts";
import { pluginProtocol } from "../protocol/index.ts";
import { assertImplements, joinSignals, type Logger, type WireReply, type WireRequest } from "../transport/index.ts";
import type { Activation, Activations } from "./activations.ts";
import { backOff } from "./back-off.ts";
import type { ClientPolicy } from "./client-policy.ts";
import { pause, unlessAborted } from "./give-up.ts";

export interface SendOptions {
  /** Of the plugin. */
  readonly name: string;
  readonly policy: ClientPolicy;
  readonly logger: Logger;
  readonly activations: Activations;
  /** Aborts when the registry is closed, with what callers are to be told. */
  readonly closing: AbortSignal;
}

/**
 * Sends a request to the program that answers now, activated first. Repeated with growing pauses as long as nobody was
 * reached, until the next pause would pass `policy.retryLimitMs`; what may have been read is never sent twice.
 */
export async function sendWithRetries(
  wire: WireRequest,
  { name, policy, logger, activations, closing }: SendOptions,
): Promise<WireReply> {
  const pauses = backOff(policy.retryLimitMs ?? 30_000);
  for (;;) {
    let used: Activation | undefined;
    try {
      used = activations.ready() ?? (await unlessAborted(activations.current(), wire.signal));
      closing.throwIfAborted();
      const announced = wire.announced ?? protocolOf(wire);
      if (announced !== pluginProtocol.name) assertImplements(name, used.implements, { name: announced });
      return await used.connection.send(wire);
    } catch (error) {
      closing.throwIfAborted();
      if (!(error instanceof TransportError) || error.code !== "UNAVAILABLE") throw error;
      if (used !== undefined) activations.suspect(used);
      const pauseMs = error.reachedPeer ? undefined : pauses.next().value;
      if (pauseMs === undefined) throw error;
      logger.warn({ plugin: name, reason: error.message, pauseMs }, "nobody was reached; trying again");
      using ended = joinSignals(wire.signal, closing);
      await pause(pauseMs, ended.signal);
      closing.throwIfAborted();
      if (wire.signal.aborted) throw error;
    }
  }
}

/** "/VolumeDriver.Get" is of "VolumeDriver". */
function protocolOf({ path }: WireRequest): string {
  return path.slice(1, path.indexOf("."));
}

import { CleatError, toCleatError, TransportError } from "../../errors/index.ts";
import { activate, type Transport } from "../../transport/index.ts";

/** What operators are told of a plugin, and what it means. */
export const pluginStates = {
  ok: "it answers",
  silent: "it gives no answer in time",
  dead: "nobody listens at its address",
  denied: "this user may not connect, or its certificate or ours is refused",
  broken: "its file cannot be used, or what answers is not a plugin",
} as const;

export type PluginState = keyof typeof pluginStates;

/** How a plugin took its activation. */
export interface Probe {
  readonly state: PluginState;
  /** Of the activation, in milliseconds; only of those that answered. */
  readonly latencyMs?: number | undefined;
  readonly implements?: readonly string[] | undefined;
  /** Why it is not ok. */
  readonly reason?: string | undefined;
}

/** Asks a plugin for its manifest. Never rejects, nor takes longer than `timeoutMs` (default the protocol's own). */
export async function probePlugin(transport: Transport, name: string, timeoutMs?: number): Promise<Probe> {
  const startedMs = performance.now();
  try {
    const implemented = await activate(transport, name, { timeoutMs });
    return { state: "ok", latencyMs: performance.now() - startedMs, implements: implemented };
  } catch (error) {
    return failedProbe(error);
  }
}

/** What a failure to find or to activate a plugin says of it. */
export function failedProbe(error: unknown): Probe {
  return { state: stateOf(toCleatError(error)), reason: toCleatError(error).message };
}

function stateOf(error: CleatError): PluginState {
  switch (error.code) {
    case "DEADLINE_EXCEEDED":
      return "silent";
    case "PERMISSION_DENIED":
    case "UNAUTHENTICATED":
      return "denied";
    case "UNAVAILABLE":
      return error instanceof TransportError && !error.reachedPeer ? "dead" : "broken";
    default:
      return "broken";
  }
}

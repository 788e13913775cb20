import { CleatError } from "../../errors/index.ts";
import { type Client, pluginProtocol, type Protocol } from "../../protocol/index.ts";
import type { Transport } from "../wire/wire.ts";
import { activate, assertImplements } from "./activate.ts";
import { type ClientOptions, createClient } from "./client.ts";

export interface ActivateOptions extends Omit<ClientOptions, "plugin"> {
  /** The plugin's name, for errors. */
  readonly name: string;
  /** Gives up activating the plugin. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The client of a protocol for a plugin that is asked first whether it speaks it. The transport stays its maker's to
 * close. Activating takes no longer than the protocol's own deadline, whatever calls may take.
 *
 * @throws FAILED_PRECONDITION when what answers is not a plugin, UNIMPLEMENTED when it does not speak the protocol.
 * @throws UNAVAILABLE or DEADLINE_EXCEEDED when nobody answers.
 */
export async function activateClient<P extends Protocol>(
  protocol: P,
  transport: Transport,
  options: ActivateOptions,
): Promise<Client<P>> {
  const { name, signal } = options;
  // Who waits long for a call does so for its work, of which activating has none.
  const timeoutMs = Math.min(options.timeoutMs ?? Number.POSITIVE_INFINITY, pluginProtocol.methods.activate.timeoutMs);
  assertImplements(name, await activate(transport, name, { signal, timeoutMs }), protocol);
  return createClient(protocol, transport, { ...options, plugin: name });
}

/** What a call resolves to, or `absent` where the plugin does not know the method. */
export async function unlessUnimplemented<T, A>(answer: Promise<T>, absent: A): Promise<T | A> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CleatError && error.code === "UNIMPLEMENTED") return absent;
    throw error;
  }
}

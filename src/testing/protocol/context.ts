import { pluginProtocol } from "../../protocol/index.ts";
import type { Check } from "../check.ts";
import { assertSuccess } from "../wire/answers.ts";
import { commonDialect, type EngineDialect } from "../wire/engine-dialects.ts";
import type { PluginPeer, WireAnswer, WireMessage } from "../wire/plugin-peer.ts";

/** What a check of what goes over the wire is given: the plugin, and an engine's way of calling it. */
export interface WireContext extends AsyncDisposable {
  readonly peer: PluginPeer;
  /** How long a connection is idle before it is used again. */
  readonly idleMs: number;
  /** How long a call may take. */
  readonly callTimeoutMs: number;
  /** A call as an engine sends it. */
  message(path: string, body: string | Uint8Array, dialect?: EngineDialect): WireMessage;
  /** Sends one, on a connection of its own. @throws AssertionError when there is no whole answer in time. */
  post(path: string, body: string | Uint8Array, dialect?: EngineDialect): Promise<WireAnswer>;
  /** What the plugin implements; fails unless it answers that. */
  activate(): Promise<readonly string[]>;
}

/** Something that every plugin, or every plugin that speaks a protocol, must do on the wire. */
export type WireCheck = Check<WireContext>;

export interface WireContextOptions {
  readonly peer: PluginPeer;
  readonly idleMs: number;
  readonly callTimeoutMs: number;
}

export function createWireContext({ peer, idleMs, callTimeoutMs }: WireContextOptions): WireContext {
  const message: WireContext["message"] = (path, body, dialect = commonDialect) => {
    return { path, body, headers: dialect.headers, timeoutMs: callTimeoutMs };
  };
  const { path: activation, response } = pluginProtocol.methods.activate;
  return {
    peer,
    idleMs,
    callTimeoutMs,
    message,
    post: (path, body, dialect) => peer.send(message(path, body, dialect)),
    async activate() {
      const answer = await peer.send(message(activation, ""));
      return assertSuccess(activation, answer, response).Implements;
    },
    async [Symbol.asyncDispose]() {},
  };
}

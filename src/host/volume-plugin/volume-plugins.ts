import { resolve } from "node:path";
import { assertPluginName } from "../../protocol/index.ts";
import { type Logger, silentLogger } from "../../transport/index.ts";
import type { ClientPolicy } from "../client-policy.ts";
import { createValidations } from "./validations.ts";
import { openVolumePlugin, type VolumePlugin } from "./volume-plugin.ts";

/** Podman's own, for every call and for validation. Source: containers.conf(5), `volume_plugin_timeout`. */
const podmanTimeoutMs = 5_000;

export interface VolumePluginsOptions {
  /** `timeoutMs` is 5 s by default. */
  readonly policy?: Pick<ClientPolicy, "timeoutMs" | "methodTimeoutsMs" | "maxReplyBytes">;
  readonly logger?: Logger;
}

export interface OpenVolumePluginOptions {
  /** Of validation, and of each later call that sets none and has none in `methodTimeoutsMs`. Default: the policy's. */
  readonly timeoutMs?: number | undefined;
  /** Gives up waiting; what others wait for goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** Volume plugins as Podman knows them: by name and the path of a socket. A value: make as many as you like. */
export interface VolumePlugins extends AsyncDisposable {
  /**
   * The volume plugin at `socketPath`. It is validated the first time, once for any number of callers, and known by
   * its name from then on; a failure is forgotten. Errors read `in volume plugin "NAME": …`.
   * @throws NOT_FOUND when nothing is at `socketPath`, PERMISSION_DENIED when it may not be seen.
   * @throws INVALID_ARGUMENT when it is not a socket, or `name` may name no plugin.
   * @throws ALREADY_EXISTS when `name` is known at another path.
   * @throws FAILED_PRECONDITION when what answers is not a plugin, UNIMPLEMENTED when it is not a volume driver.
   * @throws UNAVAILABLE when nobody listens, DEADLINE_EXCEEDED when nobody answers in time.
   */
  open(name: string, socketPath: string, options?: OpenVolumePluginOptions): Promise<VolumePlugin>;

  /** Forgets every plugin and drops its connections; calls under way are CANCELLED. May be called twice. */
  close(): Promise<void>;
}

/**
 * Makes the engine's side of Podman's volume plugins. Every call is sent once: there are no retries, and no plugin is
 * left alone for failing.
 *
 * Source: podman v4.3.1 `libpod/plugin/volume_api.go`, `GetVolumePlugin`, `validatePlugin`, `verifyReachable`. Unlike
 * there an `Err` with status 200 is a failure, and another socket at the same path is validated again.
 */
export function createVolumePlugins({ policy = {}, logger = silentLogger }: VolumePluginsOptions = {}): VolumePlugins {
  const validations = createValidations({ maxReplyBytes: policy.maxReplyBytes, logger });
  const close = async () => validations.close();
  return {
    async open(name, socketPath, { timeoutMs = policy.timeoutMs ?? podmanTimeoutMs, signal } = {}) {
      const timeoutMsOf = (path: string) => policy.methodTimeoutsMs?.[path] ?? timeoutMs;
      assertPluginName(name);
      return openVolumePlugin({ name, socketPath: resolve(socketPath), validations, timeoutMsOf }, signal);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

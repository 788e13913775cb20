import { toCleatError } from "../../errors/index.ts";
import { type CallOptions, type Method, pluginProtocol, volumeDriverProtocol } from "../../protocol/index.ts";
import { createDeadline } from "../../transport/index.ts";
import type { VolumeDriver } from "../../volume/index.ts";
import { unlessAborted } from "../give-up.ts";
import type { Validations } from "./validations.ts";
import { toVolumePluginError } from "./volume-plugin-error.ts";

/**
 * A volume plugin at a socket. Its methods are those of `VolumeDriver`; each looks first whether the socket is still
 * the one that was validated, and validates another one before it calls it, all within one deadline.
 *
 * Errors read `on "VOLUME" in volume plugin "NAME": …` (`in volume plugin "NAME": …` without a volume). Their codes are
 * those of `VolumeDriver`, of `VolumePlugins.open` where the socket is another one, and UNAVAILABLE when it is gone:
 * the plugin is forgotten then, and this object is of use again as soon as the plugin is back.
 */
export interface VolumePlugin extends Omit<VolumeDriver, "capabilities" | "close"> {
  /** Absolute, without `.` and `..`. */
  readonly socketPath: string;
}

export interface VolumePluginOptions {
  readonly name: string;
  readonly socketPath: string;
  readonly validations: Validations;
  /** The deadline of the method at `path`, where a call sets none. */
  timeoutMsOf(path: string): number;
}

/** Validates the plugin, and returns it. */
export async function openVolumePlugin(
  { name, socketPath, validations, timeoutMsOf }: VolumePluginOptions,
  signal?: AbortSignal,
): Promise<VolumePlugin> {
  const { create, list, get, remove, path, mount, unmount } = volumeDriverProtocol.methods;

  async function run<T>(
    method: Method,
    volume: string | undefined,
    caller: CallOptions = {},
    work: (driver: VolumeDriver, call: CallOptions) => Promise<T>,
    wasOpen = true,
  ): Promise<T> {
    const timeoutMs = caller.timeoutMs ?? timeoutMsOf(method.path);
    const { closed } = validations;
    const deadline = createDeadline(timeoutMs, method.path, caller.signal, closed);
    const validateAndCall = async () => {
      const waiting = { timeoutMs, signal: deadline.signal, wasOpen };
      const driver = await validations.driverAt(name, socketPath, waiting);
      return work(driver, { timeoutMs, signal: deadline.signal });
    };
    try {
      deadline.signal.throwIfAborted();
      return await unlessAborted(validateAndCall(), deadline.signal);
    } catch (error) {
      const wasCutShort = deadline.signal.aborted && toCleatError(error).code === "CANCELLED";
      const reason = closed.aborted ? closed.reason : deadline.signal.reason;
      throw toVolumePluginError(wasCutShort ? reason : error, name, volume);
    } finally {
      deadline.release();
    }
  }

  await run(pluginProtocol.methods.activate, undefined, { signal }, async () => {}, false);
  return {
    name,
    socketPath,
    create: (volume, options, caller) =>
      run(create, volume, caller, (driver, call) => driver.create(volume, options, call)),
    list: (caller) => run(list, undefined, caller, (driver, call) => driver.list(call)),
    get: (volume, caller) => run(get, volume, caller, (driver, call) => driver.get(volume, call)),
    remove: (volume, caller) => run(remove, volume, caller, (driver, call) => driver.remove(volume, call)),
    path: (volume, caller) => run(path, volume, caller, (driver, call) => driver.path(volume, call)),
    mount: (volume, id, caller) => run(mount, volume, caller, (driver, call) => driver.mount(volume, id, call)),
    unmount: (volume, id, caller) => run(unmount, volume, caller, (driver, call) => driver.unmount(volume, id, call)),
  };
}

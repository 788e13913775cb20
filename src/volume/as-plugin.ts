import { isDate } from "node:util/types";
import { CleatError, quoteText, quoteValue } from "../errors/index.ts";
import { volumeDriverProtocol } from "../protocol/index.ts";
import {
  answerOf,
  assertMethods,
  errorLogger,
  implement,
  type Logger,
  type Service,
  toCallOptions,
} from "../transport/index.ts";
import type { Volume, VolumeDriver } from "./driver.ts";
import { usableVolumes } from "./usable-volumes.ts";
import { assertVolumeName } from "./volume-name.ts";
import { isUsablePath, toWireVolume } from "./wire-shapes.ts";

export interface VolumeDriverPluginOptions {
  readonly driver: VolumeDriver;
  /** Default `errorLogger`: what nobody foresaw goes to standard error. */
  readonly logger?: Logger;
}

/** A volume driver, ready for `serve`. */
export interface VolumeDriverPlugin {
  readonly service: Service;
  /** Closes the driver. Volumes and mounts stay: this process ends, the engine may go on. May be called twice. */
  close(): Promise<void>;
}

/**
 * Serves any volume driver over Docker's protocol.
 *
 * - The driver sees names that `assertVolumeName` takes and no others, and each call's `signal`.
 * - Calls run side by side, also those about one volume.
 * - A list goes out without volumes that could not be named in another call, which is logged; a `mount` that resolves
 *   to no absolute path is INTERNAL.
 *
 * @throws INVALID_ARGUMENT when `driver` lacks a method.
 */
export function createVolumeDriverPlugin(options: VolumeDriverPluginOptions): VolumeDriverPlugin {
  assertMethods((options as Partial<typeof options> | undefined)?.driver, methods, "createVolumeDriverPlugin: driver");
  const { driver, logger = errorLogger } = options;
  const subject = `volume driver "${driver.name}"`;
  const service = implement(volumeDriverProtocol, {
    create: async ({ Name, Opts }, call) =>
      done(driver.create(checkName(Name), { options: Opts }, toCallOptions(call))),
    list: async (_, call) => {
      const listed = await answerOf(driver.list(toCallOptions(call)), subject, "list");
      const volumes = [...listed].map((volume) => toWireVolume(checkAnswer(volume, subject, "list")));
      return { Volumes: usableVolumes(volumes, { driver: driver.name }, logger) };
    },
    get: async ({ Name }, call) => {
      const volume = await driver.get(checkName(Name), toCallOptions(call));
      return { Volume: toWireVolume(checkAnswer(volume, subject, "get")) };
    },
    remove: async ({ Name }, call) => done(driver.remove(checkName(Name), toCallOptions(call))),
    path: async ({ Name }, call) => ({ Mountpoint: (await driver.path(checkName(Name), toCallOptions(call))) ?? "" }),
    mount: async ({ Name, ID }, call) => {
      const path = await driver.mount(checkName(Name), ID, toCallOptions(call));
      if (typeof path === "string" && isUsablePath(path)) return { Mountpoint: path };
      const shown = typeof path === "string" ? quoteText(path) : quoteValue(path);
      const problem = `is mounted at ${shown}, which is not an absolute path`;
      throw new CleatError("INTERNAL", `volume "${Name}" of driver "${driver.name}" ${problem}`);
    },
    unmount: async ({ Name, ID }, call) => done(driver.unmount(checkName(Name), ID, toCallOptions(call))),
    capabilities: async (_, call) => {
      const { scope } = await answerOf(driver.capabilities(toCallOptions(call)), subject, "capabilities");
      if (scope === "local" || scope === "global") return { Capabilities: { Scope: scope } };
      const problem = `has the scope ${quoteValue(scope)}, and there are "local" and "global"`;
      throw new CleatError("INTERNAL", `volume driver "${driver.name}" ${problem}`);
    },
  });
  return { service, close: () => driver.close() };
}

const methods: readonly Exclude<keyof VolumeDriver, "name">[] = [
  "capabilities",
  "create",
  "list",
  "get",
  "remove",
  "path",
  "mount",
  "unmount",
  "close",
];

/** @throws INTERNAL, naming driver and method, where a driver whose author has no compiler answers something else. */
function checkAnswer(volume: Volume, subject: string, method: string): Volume {
  const refuse = (what: string) => new CleatError("INTERNAL", `${subject}: ${method} answered ${what}`);
  if (typeof volume !== "object" || volume === null) throw refuse(`${quoteValue(volume)}, and no volume`);
  const { name, createdAt, mountpoint } = volume;
  if (typeof name !== "string") throw refuse(`a volume whose name is ${quoteValue(name)}`);
  const shown = `volume ${quoteText(name)}`;
  // Null stands for a time that is not known, as in what drivers have from JSON.
  const hasTime = (createdAt ?? undefined) === undefined || isDate(createdAt);
  if (!hasTime) throw refuse(`${shown}, whose createdAt is ${quoteValue(createdAt)}, and no Date`);
  const hasPath = mountpoint === undefined || typeof mountpoint === "string";
  if (!hasPath) throw refuse(`${shown}, whose mountpoint is ${quoteValue(mountpoint)}, and no path`);
  return volume;
}

async function done(step: Promise<void>): Promise<Record<string, never>> {
  await step;
  return {};
}

function checkName(name: string): string {
  assertVolumeName(name);
  return name;
}

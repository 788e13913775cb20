import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { CleatError, isSystemError, toCleatError } from "../../errors/index.ts";
import { assertMethods } from "../../transport/index.ts";
import type { GraphDriverMethods } from "../driver.ts";
import type { OpenOptions } from "../driver-factory.ts";
import type { DriverHolderOptions } from "./driver-holder.ts";
import type { InitRecord, InitRequest } from "./init-record.ts";
import { fromWireIdMap } from "./wire-shapes.ts";

/** The driver that is open, or why there is none. For one caller at a time. */
export interface HeldDriver {
  driver(): GraphDriverMethods | undefined;
  /** @throws the reason why there is none. */
  required(): GraphDriverMethods;
  /** Of the driver that was opened last. */
  home(): string;
  /**
   * Opens it as an `Init` says; with `resume` as an earlier process had it. Returns where the layers are, if the driver
   * keeps them in its home.
   * @throws FAILED_PRECONDITION when `recordedHome` is that home, and gone.
   */
  open(said: Pick<InitRecord, "init" | "host">, resume: boolean, recordedHome?: string): Promise<string | undefined>;
  /** From here on there is none, for that reason. */
  close(reason: CleatError): Promise<void>;
  explainAbsence(reason: CleatError): void;
}

export function createHeldDriver(options: DriverHolderOptions): HeldDriver {
  let driver: GraphDriverMethods | undefined;
  let absence = notInitialised();
  let openHome = "";
  return {
    driver: () => driver,
    required() {
      if (driver === undefined) throw absence;
      return driver;
    },
    home: () => openHome,
    async open({ init, host }, resume, recordedHome) {
      const openOptions = { ...toOpenOptions(init, options, host), resume };
      const { home } = openOptions;
      await assertFolder(home, resume && recordedHome === home);
      const opened = await options.open(openOptions);
      assertMethods(opened, driverMethods, "graph driver that was opened");
      driver = opened;
      openHome = home;
      options.logger.info({ driver: driver.name, home }, "graph driver opened");
      return existsSync(home) ? home : undefined;
    },
    async close(reason) {
      const closing = driver;
      driver = undefined;
      absence = reason;
      await closing?.close();
    },
    explainAbsence(reason) {
      absence = reason;
    },
  };
}

/** What the protocol asks of one. */
const driverMethods: readonly (keyof GraphDriverMethods)[] = [
  "create",
  "createReadWrite",
  "remove",
  "get",
  "put",
  "exists",
  "status",
  "metadata",
  "diff",
  "changes",
  "applyDiff",
  "diffSize",
  "cleanup",
  "close",
];

export function toOpenOptions(
  request: InitRequest,
  options: DriverHolderOptions,
  host: string | undefined,
): OpenOptions {
  const home = options.home ?? (request.Home || options.defaultHome);
  if (home === undefined) throw new CleatError("INVALID_ARGUMENT", "Init names no Home, and no default is set");
  if (!isAbsolute(home)) throw new CleatError("INVALID_ARGUMENT", `home "${home}" is not an absolute path`);
  return {
    home,
    options: [...(options.optionsForHost?.(host) ?? []), ...(options.options ?? []), ...request.Opts],
    uidMaps: request.UIDMaps.map(fromWireIdMap),
    gidMaps: request.GIDMaps.map(fromWireIdMap),
    ...(options.durability !== undefined && { durability: options.durability }),
    logger: options.logger,
  };
}

/**
 * A home that held an engine's layers, and is gone, may lie on a disk that is not mounted yet: nothing is made in its
 * place.
 */
async function assertFolder(home: string, mustExist: boolean): Promise<void> {
  try {
    if ((await stat(home)).isDirectory()) return;
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw toCleatError(error, `home "${home}"`);
    if (!mustExist) return; // the driver makes it
    throw new CleatError("FAILED_PRECONDITION", `home "${home}", which held the layers, is gone`);
  }
  throw new CleatError("FAILED_PRECONDITION", `home "${home}" is not a folder`);
}

export function notInitialised(): CleatError {
  return new CleatError("FAILED_PRECONDITION", "graph driver is not initialised; the engine sends Init first");
}

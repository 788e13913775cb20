import { CleatError } from "../../errors/index.ts";
import { type Call, graphDriverProtocol } from "../../protocol/index.ts";
import type { LendingSource } from "../../protocol/kit.ts";
import {
  assertMethods,
  implement,
  type Logger,
  type Service,
  errorLogger,
  toCallOptions,
} from "../../transport/index.ts";
import type { CreateOptions, GraphDriverMethods } from "../driver.ts";
import { createDriverHolder, type DriverHolderOptions } from "./driver-holder.ts";
import { createLostCalls } from "./engine/lost-calls.ts";
import { findMountedLayers } from "./engine/mounted-layers.ts";
import { assertLayerId } from "../layer-id.ts";
import { removeBehind } from "./remove-behind.ts";
import { toWireChanges, toWireCapabilities } from "./wire-shapes.ts";

export interface GraphDriverPluginOptions extends Omit<DriverHolderOptions, "logger"> {
  /** Default `errorLogger`: what nobody foresaw goes to standard error. */
  readonly logger?: Logger;
  /**
   * A folder for what the next process has to know of the calls in which this one was killed (`engine/lost-calls.ts`);
   * to be of use only with `state`. Default: the next process knows nothing of them.
   */
  readonly callsFolder?: string;
}

/** A graph driver, ready for `serve`. */
export interface GraphDriverPlugin {
  readonly service: Service;
  /**
   * Opens what an earlier process had open, now that this one has the address, "unix:///…"; else the first call does.
   */
  onListening(address: string): void;
  /** Closes the driver after its running calls, and keeps the saved `Init`: this process ends, the engine may go on. */
  close(): Promise<void>;
}

/**
 * Serves any graph driver over Docker's protocol, to one engine: `engine/binding.ts` says whose calls are taken. The
 * driver is opened at `Init`, or as soon as the plugin is served where an earlier process saved one; a failure to do
 * the latter is logged and told to every call, until an `Init` succeeds. Nothing is looked at or locked before.
 *
 * - `Init` once more (the engine crashed) closes the driver and opens it anew, so that mounts are counted anew and
 *   adopted. For another home it is refused until the first engine has said `Cleanup`.
 * - `Cleanup` (the engine shuts down) closes it and forgets the saved `Init`.
 * - Both wait for running calls and keep later ones waiting. A peer that sends or reads nothing for a second meanwhile
 *   is broken off.
 *
 * @throws INVALID_ARGUMENT without `open`; a driver that lacks a method is so refused at `Init`.
 */
export function createGraphDriverPlugin(options: GraphDriverPluginOptions): GraphDriverPlugin {
  assertMethods(options, ["open"], "createGraphDriverPlugin: its options");
  const { logger = errorLogger, callsFolder } = options;
  const lost = createLostCalls({ folder: callsFolder, logger });
  let home = "";
  const open: GraphDriverPluginOptions["open"] = async (openOptions) => {
    const driver = await options.open(openOptions);
    lost.opened(openOptions.resume ?? false);
    ({ home } = openOptions);
    return driver;
  };
  const holder = createDriverHolder({ ...options, open, logger });
  const call = <T>({ connection }: Call, run: (driver: GraphDriverMethods) => Promise<T>) =>
    holder.use(connection, run);

  const service = implement(graphDriverProtocol, {
    init: async (request, { connection, host }) => {
      await holder.init(request, connection, host);
      return {};
    },
    cleanup: async (_, { connection }) => {
      await holder.cleanup(connection);
      return {};
    },
    create: ({ ID, ...rest }, from) =>
      call(from, async (driver) => {
        await driver.create(checked(ID), toCreateOptions(rest), wanted(from));
        lost.created(ID);
        return {};
      }),
    createReadWrite: ({ ID, ...rest }, from) =>
      call(from, async (driver) => {
        await driver.createReadWrite(checked(ID), toCreateOptions(rest), wanted(from));
        lost.created(ID);
        return {};
      }),
    remove: ({ ID }, from) =>
      call(from, async (driver) => {
        await removeBehind(driver, checked(ID), home, logger);
        lost.removed(ID);
        return {};
      }),
    get: ({ ID, MountLabel }, from) =>
      call(from, async (driver) => {
        if (ID === "") {
          lost.getLost(findMountedLayers(home));
          throw nameLost();
        }
        const mount = () => driver.get(checked(ID), { mountLabel: MountLabel || undefined });
        return { Dir: await lost.get(checked(ID), mount) };
      }),
    put: ({ ID }, from) =>
      call(from, async (driver) => {
        if (ID === "")
          logger.warn({}, "a Put came without its layer, as one that is sent again does; nothing is given back");
        else await lost.put(checked(ID), () => driver.put(ID));
        return {};
      }),
    exists: ({ ID }, from) => call(from, async (driver) => ({ Exists: await driver.exists(checked(ID)) })),
    status: () =>
      holder.look(async (driver) => ({ Status: (await driver.status()).map(([name, value]) => [name, value]) })),
    getMetadata: ({ ID }, from) =>
      call(from, async (driver) => ({ Metadata: { ...(await driver.metadata(checked(ID))) } })),
    diff: ({ ID, Parent }, from) =>
      call(from, (driver) => driver.diff(checked(ID), checkedParent(Parent), wanted(from))),
    changes: ({ ID, Parent }, from) =>
      call(from, async (driver) => {
        const changes = await driver.changes(checked(ID), checkedParent(Parent), wanted(from));
        return { Changes: toWireChanges(changes) };
      }),
    applyDiff: ({ id, parent }, from) =>
      call(from, async (driver) => {
        lost.assertWholeArchive(checked(id));
        const apply = (archive: LendingSource) => driver.applyDiff(id, checkedParent(parent), archive, wanted(from));
        return { Size: await holder.receive(id, from.body, apply) };
      }),
    diffSize: ({ ID, Parent }, from) =>
      call(from, async (driver) => ({ Size: await driver.diffSize(checked(ID), checkedParent(Parent), wanted(from)) })),
    capabilities: () => holder.look(async (driver) => ({ Capabilities: toWireCapabilities(driver.capabilities) })),
  });
  return {
    service,
    onListening(address) {
      if (address.startsWith(unixScheme)) holder.listensOn(address.slice(unixScheme.length));
      void holder.restore(); // never rejects; calls wait for it
    },
    async close() {
      await holder.close();
      lost.close();
    },
  };
}

/**
 * An engine that is gone wants none of what it asked for that takes long; what it asked to be mounted, given back or
 * removed is done all the same.
 */
const wanted = toCallOptions;

const unixScheme = "unix://";

function checked(id: string): string {
  assertLayerId(id);
  return id;
}

function nameLost(): CleatError {
  const why = "the call was lost with an earlier process of the plugin, and sent again without it; try again";
  return new CleatError("INVALID_ARGUMENT", `layer id "" is not there: ${why}`);
}

/** Go leaves out an empty string or sends it; both mean that there is no parent. */
function checkedParent(parent: string | undefined): string | undefined {
  return parent === undefined || parent === "" ? undefined : checked(parent);
}

function toCreateOptions(request: {
  Parent?: string | undefined;
  MountLabel?: string | undefined;
  StorageOpt?: Record<string, string> | undefined;
}): CreateOptions {
  return {
    parent: checkedParent(request.Parent),
    mountLabel: request.MountLabel || undefined,
    storageOptions: request.StorageOpt,
  };
}

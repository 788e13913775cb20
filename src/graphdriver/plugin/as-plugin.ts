import { graphDriverProtocol } from "../../protocol/index.ts";
import { implement, type Logger, type Service, silentLogger } from "../../transport/index.ts";
import type { GraphDriver } from "../driver.ts";
import { createDriverHolder, type DriverHolderOptions } from "./driver-holder.ts";
import { assertLayerId } from "../layer-id.ts";
import { toWireChange, toWireCapabilities } from "./wire-shapes.ts";

export interface GraphDriverPluginOptions extends Omit<DriverHolderOptions, "logger"> {
  /** Default: says nothing. */
  readonly logger?: Logger;
}

/** A graph driver, ready for `serve`. */
export interface GraphDriverPlugin {
  readonly service: Service;
  /** Closes the driver after its running calls, and keeps the saved `Init`: this process ends, the engine may go on. */
  close(): Promise<void>;
}

/**
 * Serves any graph driver over Docker's protocol. The driver is opened at `Init`, or at once where an earlier process
 * saved one; a failure to do the latter is logged and told to every call, until an `Init` succeeds.
 *
 * - `Init` once more (the engine crashed) closes the driver and opens it anew, so that mounts are counted anew and
 *   adopted.
 * - `Cleanup` (the engine shuts down) closes it and forgets the saved `Init`.
 * - Both wait for running calls and keep later ones waiting.
 */
export function createGraphDriverPlugin(options: GraphDriverPluginOptions): GraphDriverPlugin {
  const holder = createDriverHolder({ ...options, logger: options.logger ?? silentLogger });
  void holder.restore(); // never rejects; calls wait for it
  const call = holder.use;

  const service = implement(graphDriverProtocol, {
    init: async (request, { host }) => {
      await holder.init(request, host);
      return {};
    },
    cleanup: async () => {
      await holder.cleanup();
      return {};
    },
    create: ({ ID, ...rest }) => call(async (driver) => done(driver.create(checked(ID), toCreateOptions(rest)))),
    createReadWrite: ({ ID, ...rest }) =>
      call(async (driver) => done(driver.createReadWrite(checked(ID), toCreateOptions(rest)))),
    remove: ({ ID }) => call(async (driver) => done(driver.remove(checked(ID)))),
    get: ({ ID, MountLabel }) =>
      call(async (driver) => ({ Dir: await driver.get(checked(ID), { mountLabel: MountLabel || undefined }) })),
    put: ({ ID }) => call(async (driver) => done(driver.put(checked(ID)))),
    exists: ({ ID }) => call(async (driver) => ({ Exists: await driver.exists(checked(ID)) })),
    status: () => call(async (driver) => ({ Status: (await driver.status()).map(([name, value]) => [name, value]) })),
    getMetadata: ({ ID }) => call(async (driver) => ({ Metadata: { ...(await driver.metadata(checked(ID))) } })),
    diff: ({ ID, Parent }) => call((driver) => driver.diff(checked(ID), checkedParent(Parent))),
    changes: ({ ID, Parent }) =>
      call(async (driver) => {
        const changes = await driver.changes(checked(ID), checkedParent(Parent));
        return { Changes: changes.map(toWireChange) };
      }),
    applyDiff: ({ id, parent }, { body }) =>
      call(async (driver) => ({ Size: await driver.applyDiff(checked(id), checkedParent(parent), body) })),
    diffSize: ({ ID, Parent }) =>
      call(async (driver) => ({ Size: await driver.diffSize(checked(ID), checkedParent(Parent)) })),
    capabilities: () => call(async (driver) => ({ Capabilities: toWireCapabilities(driver.capabilities) })),
  });
  return { service, close: holder.close };
}

async function done(step: Promise<void>): Promise<Record<string, never>> {
  await step;
  return {};
}

function checked(id: string): string {
  assertLayerId(id);
  return id;
}

/** Go leaves out an empty string or sends it; both mean that there is no parent. */
function checkedParent(parent: string | undefined): string | undefined {
  return parent === undefined || parent === "" ? undefined : checked(parent);
}

function toCreateOptions(request: {
  Parent?: string | undefined;
  MountLabel?: string | undefined;
  StorageOpt?: Record<string, string> | undefined;
}): Parameters<GraphDriver["create"]>[1] {
  return {
    parent: checkedParent(request.Parent),
    mountLabel: request.MountLabel || undefined,
    storageOptions: request.StorageOpt,
  };
}

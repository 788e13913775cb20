import { CleatError, toCleatError } from "../../errors/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import type { Logger } from "../../transport/index.ts";
import type { Volume, VolumeDriver } from "../../volume/index.ts";
import type { ManagedVolumes, TypedVolumesOptions } from "../managed/open-managed-volumes.ts";
import { showOptions } from "../options/read-options.ts";
import type { HostPresence } from "./host-presence.ts";
import type { OwnPart } from "./own-part.ts";
import type { Access, SharedRecords, SharedVolume } from "./shared-records.ts";

/** Does what is asked of one volume in order, for a caller who may give up: then `signal` aborts. */
export type InTurn = <Result>(
  name: string,
  call: CallOptions | undefined,
  work: (signal: AbortSignal) => Promise<Result>,
) => Promise<Result>;

export interface SharedCallsParts {
  readonly options: Pick<TypedVolumesOptions, "types" | "otherTypes" | "defaultType">;
  readonly records: SharedRecords;
  readonly presence: HostPresence;
  readonly local: ManagedVolumes;
  readonly own: OwnPart;
  /** Volumes that this host has mounted and another host has, too: what people have unlocked. */
  readonly fenced: Map<string, string>;
  /**
   * Volumes that etcd has said to be this host's, to this process: others may have been given away before it started.
   */
  readonly confirmed: Set<string>;
  readonly inTurn: InTurn;
  readonly logger: Logger;
}

export type SharedCalls = Pick<VolumeDriver, "create" | "list" | "get" | "path" | "remove" | "mount" | "unmount">;

/** What engines ask, of etcd's records first and then of this host's own part. */
export function createSharedCalls(parts: SharedCallsParts): SharedCalls {
  const { options, records, local, own, inTurn } = parts;
  const isShared = (type = options.defaultType): boolean => type !== undefined && Object.hasOwn(options.types, type);
  const find = async (name: string): Promise<SharedVolume> => {
    const volume = await records.find(name);
    if (volume !== undefined) return volume;
    throw new CleatError("NOT_FOUND", `volume "${name}" does not exist`);
  };
  const show = (name: string, volume: SharedVolume) => showVolume(name, volume, parts);

  return {
    create: (name, { options: all = {} } = {}, call) =>
      inTurn(name, call, async () => {
        const { access = isShared(all["type"]) ? "many" : "single", ...given } = all;
        assertAccess(access);
        const there = await records.find(name);
        // Its options are looked at as for any other; and before others see it.
        if (there === undefined) await own.make(name, { options: given });
        try {
          await own.make(name, await records.create(name, { options: given, access }));
        } catch (error) {
          if (there === undefined) await own.remove(name);
          throw error;
        }
      }),
    async list() {
      return Promise.all([...(await records.list())].map(([name, volume]) => show(name, volume)));
    },
    async get(name) {
      const volume = await show(name, await find(name));
      const seen = await local.get(name).catch(() => undefined); // not every host has met it
      return { ...volume, status: { ...seen?.status, ...volume.status } };
    },
    async path(name) {
      if (own.isMounted(name)) return local.path(name);
      await find(name);
      return undefined;
    },
    remove: (name, call) =>
      inTurn(name, call, async () => {
        if (await own.isFree(name)) await giveBack(name, parts);
        await records.remove(name);
        await own.remove(name);
      }),
    mount: (name, id, call) => inTurn(name, call, (signal) => mount(name, id, parts, signal)),
    unmount: (name, id, call) => inTurn(name, call, () => unmount(name, id, parts)),
  };
}

/** What others are told of it is told before anything is mounted, and taken back when nothing is. */
async function mount(name: string, id: string, parts: SharedCallsParts, signal: AbortSignal): Promise<string> {
  const { records, presence, local, own, fenced, confirmed } = parts;
  const isHolder = own.holders(name).includes(id);
  const mountHere = async () => {
    const path = await local.mount(name, id, { signal });
    if (!signal.aborted) return path;
    // He was told that he has nothing.
    if (!isHolder) await local.unmount(name, id);
    throw toCleatError(signal.reason);
  };
  const reason = fenced.get(name);
  if (reason !== undefined) throw new CleatError("FAILED_PRECONDITION", reason);
  presence.assertNoOther();
  if (own.isMounted(name) && confirmed.has(name)) return mountHere();
  const claim = await presence.keep();
  await assertNotOutdated(name, parts);
  const volume = await records.use(name, claim);
  confirmed.add(name);
  try {
    await own.make(name, volume);
    return await mountHere();
  } catch (error) {
    if (await own.isFree(name)) await giveBack(name, parts).catch(() => {}); // or later
    throw error;
  }
}

/**
 * A host that has unsent files keeps its claim: one that lost it has files of before, and
 * another may have written since.
 */
async function assertNotOutdated(name: string, { own, records }: SharedCallsParts): Promise<void> {
  try {
    await own.assertSent(name);
  } catch (error) {
    if (await records.isUsed(name)) return;
    const message =
      `volume "${name}" was given to another host, or removed, while this one had files of it that were not sent, ` +
      "and would send them over newer ones: move them out of its folder on this host";
    throw new CleatError("FAILED_PRECONDITION", message, { cause: error });
  }
}

/** Of one that is free here. What this host has not sent yet would be sent over what another writes. */
export async function giveBack(
  name: string,
  { own, records, presence, confirmed }: Pick<SharedCallsParts, "own" | "records" | "presence" | "confirmed">,
): Promise<void> {
  await own.assertSent(name);
  confirmed.delete(name);
  await records.giveBack(name, await presence.claim());
}

async function unmount(name: string, id: string, parts: SharedCallsParts): Promise<void> {
  const { local, own, fenced, logger } = parts;
  await local.unmount(name, id);
  if (!(await own.isFree(name))) return; // others of this host have it, or it is busy
  fenced.delete(name);
  try {
    await giveBack(name, parts);
  } catch (error) {
    logger.warn({ err: error, volume: name }, "other hosts are told later that a volume is free");
  }
}

async function showVolume(
  name: string,
  { options: all, access, created }: SharedVolume,
  { options, local, own, fenced }: SharedCallsParts,
): Promise<Volume> {
  const { type = options.defaultType, ...rest } = all;
  const isKnown = type !== undefined && Object.hasOwn(options.types, type);
  const backend = isKnown ? options.types[type] : options.otherTypes;
  const reason = fenced.get(name);
  return {
    name,
    mountpoint: await local.path(name).catch(() => undefined),
    createdAt: new Date(created),
    status: {
      Type: type,
      Options: showOptions(backend ?? { options: {} }, rest),
      Access: access,
      Mounts: own.holders(name).length,
      ...(reason !== undefined && { State: reason }),
    },
  };
}

function assertAccess(access: string): asserts access is Access {
  if (access === "single" || access === "many") return;
  throw new CleatError("INVALID_ARGUMENT", 'option "access" takes "single" or "many"');
}

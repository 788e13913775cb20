import { hostname } from "node:os";
import { join } from "node:path";
import { CleatError, quoteText } from "../../errors/index.ts";
import { silentLogger } from "../../transport/index.ts";
import { assertVolumeName } from "../../volume/index.ts";
import { takeTurnWithin } from "../holders/turn-within.ts";
import { createTurns } from "../holders/turns.ts";
import {
  type ManagedVolumes,
  openVolumesAndMounts,
  type TypedVolumesOptions,
} from "../managed/open-managed-volumes.ts";
import { createOwnPart } from "./own-part.ts";
import { watchShared } from "./watch-shared.ts";
import { createEtcd, type Etcd, type EtcdOptions } from "./etcd.ts";
import { repeat } from "./repeat.ts";
import { createHostPresence, readHost } from "./host-presence.ts";
import { createSharedCalls, type InTurn } from "./shared-calls.ts";
import { createSharedRecords } from "./shared-records.ts";

export interface GlobalVolumesOptions extends SharedVolumesOptions {
  readonly etcd: EtcdOptions;
}

export interface SharedVolumesOptions extends Omit<TypedVolumesOptions, "scope"> {
  /** Of all keys; default "/cleat/NAME". Hosts that share volumes have the same. */
  readonly prefix?: string;
  /** What people call this host; default its name. */
  readonly hostName?: string;
  /** How often it is looked after what other hosts are told, in milliseconds; default 10,000. */
  readonly lookMs?: number;
  /** How often others hear of this host, in milliseconds; default 5,000. They wait for 30 s. */
  readonly heardMs?: number;
}

export interface GlobalVolumes extends ManagedVolumes {
  /** Says of a host that is not heard from that it is down for good: what it had of the volume others may have. */
  unlock(name: string, hostId: string): Promise<void>;
}

const defaultLookMs = 10_000;
const defaultHeardMs = 5_000;
/** What a call waits for others about the same volume, and for etcd. */
const callTimeoutMs = 55_000;

/**
 * Volumes that several hosts share: names, options and who has what mounted are in etcd, files where the volume's type
 * has them, on a server that each host reaches. The option `access` says whether one host at a time may have a volume
 * ("single") or any number ("many"). By default those of `types` are for many, and those of other types, such as a disk
 * that several machines reach, for one.
 *
 * - Of a volume for a single host never two have it mounted: the second is refused, also while the first is not heard
 *   from. It may write on, and only people know whether it is down (`unlock`).
 * - Without etcd nothing is made, removed or listed, and nothing is mounted that this process does not know
 *   this host to have mounted: UNAVAILABLE. What is mounted stays, can be mounted by more containers, and is
 *   unmounted; etcd hears of it later.
 *
 * @throws what `openManagedVolumes` throws, INVALID_ARGUMENT for endpoints that are none, and for types that have
 *   `create`, `remove` or `resize`: each host would call its own, once it meets a volume. An etcd that does not answer
 *   yet fails the calls that need it.
 */
export async function openGlobalVolumes({ etcd, ...options }: GlobalVolumesOptions): Promise<GlobalVolumes> {
  return openSharedVolumes(createEtcd(etcd), options);
}

/** The same, by an etcd that is there. */
export async function openSharedVolumes(etcd: Etcd, options: SharedVolumesOptions): Promise<GlobalVolumes> {
  const {
    prefix: wished,
    hostName = hostname(),
    lookMs = defaultLookMs,
    heardMs = defaultHeardMs,
    ...settings
  } = options;
  const { name: driver, folder, logger = silentLogger } = settings;
  assertSharable(settings);
  const prefix = wished ?? `/cleat/${driver}`;
  const { volumes: local, mounts } = await openVolumesAndMounts({ ...settings, folder: join(folder, "local") });
  const own = createOwnPart(local, mounts);
  const host = await readHost(folder, hostName).catch(async (error: unknown) => {
    await local.close();
    throw error;
  });
  const presence = createHostPresence(etcd, prefix, folder, host);
  const records = createSharedRecords(etcd, prefix, host, logger);
  const turns = createTurns();
  const fenced = new Map<string, string>();
  const confirmed = new Set<string>();
  const inTurn: InTurn = async (name, call, work) => {
    assertVolumeName(name);
    return takeTurnWithin(turns, name, callTimeoutMs, call, work);
  };
  const watch = watchShared({ records, presence, own, fenced, confirmed, inTurn, lookMs, logger });
  let isHeard = true;
  const voice = repeat(heardMs, async () => {
    try {
      await presence.keep();
      isHeard = true;
    } catch (error) {
      if (isHeard) logger.warn({ err: error }, "other hosts do not hear of this one");
      isHeard = false;
    }
  });
  return {
    ...local,
    ...createSharedCalls({ options, records, presence, local, own, fenced, confirmed, inTurn, logger }),
    capabilities: async () => ({ scope: "global" }),
    holders: own.holders,
    isWhole: () => true, // what `get` finds: a volume that is removed leaves etcd in one step
    copyOptions(name) {
      throw new CleatError("UNIMPLEMENTED", `volume "${name}" is shared by hosts, and not copied`);
    },
    unlock: (name, hostId) => inTurn(name, undefined, () => records.takeFrom(name, hostId)),
    async createFilled(name) {
      const message = `volume "${name}" is shared by hosts: make it, and fill it while it is mounted`;
      throw new CleatError("UNIMPLEMENTED", message);
    },
    async close() {
      await watch.stop();
      await voice.stop();
      const areFree = await Promise.all((await own.names()).map(own.isFree));
      await local.close();
      if (!areFree.includes(false)) await presence.leave().catch(() => {}); // others notice by its silence
    },
  };
}

/** What is called once for a volume, where there is one driver. */
const calledOnce = ["create", "remove", "resize"] as const;

function assertSharable({ types, otherTypes }: Pick<SharedVolumesOptions, "types" | "otherTypes">): void {
  const named = Object.entries(types).map(([name, backend]) => ({ what: `type ${quoteText(name)}`, backend }));
  for (const { what, backend } of [...named, { what: "other types", backend: otherTypes }]) {
    const method = calledOnce.find((one) => backend?.[one] !== undefined);
    if (method === undefined) continue;
    const message = `volumes of ${what} cannot be shared by hosts: each would call its "${method}"`;
    throw new CleatError("INVALID_ARGUMENT", message);
  }
}

/**
 * What hosts that share volumes know of them, in etcd:
 *
 *     <prefix>/volumes/<name>        what it is (`volumeSchema`)
 *     <prefix>/uses/<name>/<host>    that a host has it mounted, or may have. Stays when that host is not heard from
 *     <prefix>/hosts/<host>          that a host is heard from: goes with its lease
 *
 * A use is no lease's, on purpose: a host that etcd does not hear may well write on, and another that took its volume
 * would be the second. So it stays until the host gives it back, or somebody says that the host is down.
 */
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { CleatError, quoteText } from "../../errors/index.ts";
import { type Logger, silentLogger } from "../../transport/index.ts";
import type { Etcd, EtcdEntry } from "./etcd.ts";
import type { HostClaim } from "./host-presence.ts";

/** "single": one host at a time. */
export type Access = "single" | "many";

const volumeSchema = z.object({
  version: z.literal(1),
  /** Another volume of the same name, made later, has another. */
  id: z.string(),
  /** As the user gave them, secrets among them. */
  options: z.record(z.string(), z.string()),
  access: z.enum(["single", "many"]),
  created: z.iso.datetime(),
});

export type SharedVolume = Readonly<z.output<typeof volumeSchema>>;

const hostSchema = z.object({ name: z.string() });

export interface ThisHost {
  readonly id: string;
  /** For people. */
  readonly name: string;
}

export interface SharedRecords {
  /** Those whose records can be read. */
  list(): Promise<Map<string, SharedVolume>>;
  find(name: string): Promise<SharedVolume | undefined>;
  /** @throws ALREADY_EXISTS when there is one with other options. */
  create(name: string, volume: Pick<SharedVolume, "options" | "access">): Promise<SharedVolume>;
  /** @throws NOT_FOUND, FAILED_PRECONDITION while a host has it. */
  remove(name: string): Promise<void>;
  /**
   * Notes that this host has it. Safe to repeat.
   * @throws NOT_FOUND, FAILED_PRECONDITION when another host has it and it is one for a single host; ABORTED when this
   *   process is not the host any more.
   */
  use(name: string, claim: HostClaim): Promise<SharedVolume>;
  /**
   * Where this host has it. @throws ABORTED when this process is not the host any more, or it was used anew meanwhile.
   */
  giveBack(name: string, claim: HostClaim): Promise<void>;
  /** Whether this host has it, as is noted. */
  isUsed(name: string): Promise<boolean>;
  /** Names of the volumes that this host has, as is noted. */
  used(): Promise<Set<string>>;
  /** Takes a use from a host that is not heard from. @throws NOT_FOUND, FAILED_PRECONDITION while it is. */
  takeFrom(name: string, host: string): Promise<void>;
}

export function createSharedRecords(
  etcd: Etcd,
  prefix: string,
  { id: host, name: hostName }: ThisHost,
  logger: Logger = silentLogger,
): SharedRecords {
  const volumeKey = (name: string) => `${prefix}/volumes/${name}`;
  const usesOf = (name: string) => `${prefix}/uses/${name}/`;
  const hostKey = (id: string) => `${prefix}/hosts/${id}`;

  const found = async (name: string): Promise<{ entry: EtcdEntry; volume: SharedVolume }> => {
    const entry = await etcd.get(volumeKey(name));
    if (entry !== undefined) return { entry, volume: parse(volumeSchema, entry) };
    throw new CleatError("NOT_FOUND", `volume "${name}" does not exist`);
  };
  /** "host db1, which is not heard from" */
  const describeUser = async ({ key, value }: EtcdEntry): Promise<string> => {
    const id = key.slice(key.lastIndexOf("/") + 1);
    const { name } = hostSchema.parse(JSON.parse(value));
    const known = `host ${quoteText(name)} (${id})`;
    if (id === host || (await etcd.get(hostKey(id))) !== undefined) return known;
    return `${known}, which is not heard from: if it is down for good, cleat volumes unlock says so`;
  };
  const refuse = async (name: string, users: readonly EtcdEntry[]): Promise<never> => {
    const [first] = users;
    if (first === undefined) throw new CleatError("ABORTED", `volume "${name}" was changed meanwhile; ask again`);
    throw new CleatError("FAILED_PRECONDITION", `volume "${name}" is in use by ${await describeUser(first)}`);
  };

  return {
    async list() {
      const entries = await etcd.list(volumeKey(""));
      const volumes = new Map<string, SharedVolume>();
      for (const entry of entries) {
        const name = entry.key.slice(volumeKey("").length);
        try {
          volumes.set(name, parse(volumeSchema, entry));
        } catch (error) {
          logger.error({ err: error, volume: name }, "a volume is not listed, since its record cannot be read");
        }
      }
      return volumes;
    },
    async find(name) {
      const entry = await etcd.get(volumeKey(name));
      return entry && parse(volumeSchema, entry);
    },
    async create(name, { options, access }) {
      const volume = { version: 1, id: randomUUID(), options, access, created: new Date().toISOString() } as const;
      const key = volumeKey(name);
      if (await etcd.change([{ nothingAt: key }], [{ put: key, value: JSON.stringify(volume) }])) return volume;
      const { volume: other } = await found(name);
      if (other.access === access && isDeepStrictEqual(other.options, options)) return other;
      throw new CleatError("ALREADY_EXISTS", `volume "${name}" exists with other options`);
    },
    async remove(name) {
      const { entry } = await found(name);
      const isRemoved = await etcd.change(
        [{ unchanged: entry }, { nothingBelow: usesOf(name) }],
        [{ delete: volumeKey(name) }],
      );
      if (!isRemoved) await refuse(name, await etcd.list(usesOf(name)));
    },
    async use(name, claim) {
      const { entry, volume } = await found(name);
      const own = `${usesOf(name)}${host}`;
      const alone = volume.access === "single" ? [{ nothingBelow: usesOf(name) }] : [];
      const put = { put: own, value: JSON.stringify({ name: hostName }) };
      if (await etcd.change([{ unchanged: entry }, ...alone, claim], [put])) return volume;
      const users = await etcd.list(usesOf(name));
      const others = volume.access === "single" ? users.filter(({ key }) => key !== own) : [];
      const mine = others.length === 0 ? users.find(({ key }) => key === own) : undefined;
      // Written anew: a give-back that is late deletes what was there before.
      if (mine && (await etcd.change([{ unchanged: entry }, { unchanged: mine }, claim], [put]))) return volume;
      return refuse(name, others);
    },
    async giveBack(name, claim) {
      const own = await etcd.get(`${usesOf(name)}${host}`);
      if (own === undefined) return;
      if (!(await etcd.change([{ unchanged: own }, claim], [{ delete: own.key }]))) await refuse(name, []);
    },
    isUsed: async (name) => (await etcd.get(`${usesOf(name)}${host}`)) !== undefined,
    async used() {
      const uses = await etcd.list(`${prefix}/uses/`);
      const own = uses.filter(({ key }) => key.endsWith(`/${host}`));
      return new Set(own.map(({ key }) => key.slice(`${prefix}/uses/`.length, -(host.length + 1))));
    },
    async takeFrom(name, other) {
      const use = await etcd.get(`${usesOf(name)}${other}`);
      if (use === undefined)
        throw new CleatError("NOT_FOUND", `volume "${name}" is not in use by host ${quoteText(other)}`);
      const isTaken = await etcd.change([{ unchanged: use }, { nothingAt: hostKey(other) }], [{ delete: use.key }]);
      if (isTaken) return;
      throw new CleatError(
        "FAILED_PRECONDITION",
        `host ${quoteText(other)} is heard from: it gives back what it has itself`,
      );
    },
  };
}

function parse<Schema extends z.ZodType>(schema: Schema, { key, value }: EtcdEntry): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(value));
  } catch (cause) {
    throw new CleatError("DATA_LOSS", `etcd has something else at ${quoteText(key)} than what was written there`, {
      cause,
    });
  }
}

/** An etcd in memory, which several hosts of one process share, and hosts that mount nothing but say so. */
import { CleatError } from "../../errors/index.ts";
import type { Etcd, EtcdChange, EtcdCondition, EtcdEntry } from "./etcd.ts";

export interface MemoryEtcd extends Etcd {
  readonly entries: ReadonlyMap<string, EtcdEntry>;
  /**
   * What is called before each request is answered, with its kind and its first key or lease; may throw in its place.
   */
  before: (request: keyof Etcd, subject: string) => void | Promise<void>;
  /** As when nobody has kept it alive. */
  expire(lease: string): void;
  keys(prefix: string): string[];
}

export function createMemoryEtcd(): MemoryEtcd {
  const entries = new Map<string, EtcdEntry>();
  const leases = new Set<string>();
  let revision = 0;
  let lastLease = 0;
  const holds = (condition: EtcdCondition): boolean => {
    if ("nothingAt" in condition) return !entries.has(condition.nothingAt);
    if ("nothingBelow" in condition) return ![...entries.keys()].some((key) => key.startsWith(condition.nothingBelow));
    return entries.get(condition.unchanged.key)?.revision === condition.unchanged.revision;
  };
  const apply = (change: EtcdChange) => {
    if ("delete" in change) return void entries.delete(change.delete);
    const { put: key, value, lease = "0" } = change;
    if (lease !== "0" && !leases.has(lease)) throw new CleatError("NOT_FOUND", "requested lease not found");
    entries.set(key, { key, value, lease, revision: String(revision) });
  };
  const expire = (lease: string) => {
    leases.delete(lease);
    for (const [key, entry] of entries) if (entry.lease === lease) entries.delete(key);
  };
  const etcd: MemoryEtcd = {
    entries,
    before: () => {},
    expire,
    keys: (prefix) => [...entries.keys()].filter((key) => key.startsWith(prefix)).toSorted(),
    async get(key) {
      await etcd.before("get", key);
      return entries.get(key);
    },
    async list(prefix) {
      await etcd.before("list", prefix);
      return [...entries.values()].filter(({ key }) => key.startsWith(prefix));
    },
    async change(conditions, changes) {
      await etcd.before("change", changes.map((change) => ("put" in change ? change.put : change.delete)).join(" "));
      if (!conditions.every(holds)) return false;
      revision++;
      for (const change of changes) apply(change);
      return true;
    },
    async grantLease() {
      await etcd.before("grantLease", "");
      leases.add(String(++lastLease));
      return String(lastLease);
    },
    async keepLease(lease) {
      await etcd.before("keepLease", lease);
      return leases.has(lease);
    },
    async revokeLease(lease) {
      await etcd.before("revokeLease", lease);
      if (!leases.has(lease)) throw new CleatError("NOT_FOUND", "requested lease not found");
      expire(lease);
    },
  };
  return etcd;
}

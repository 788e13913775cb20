/** A client of etcd's version 3 API, by its JSON gateway. Source: etcd v3.4 `api/etcdserverpb/rpc.proto`. */
import { CleatError, quoteText, TransportError } from "../../errors/index.ts";
import { type Answer, post, type WireEntry } from "./etcd-post.ts";
import { type EtcdTls, readTlsFiles } from "./etcd-tls.ts";

export interface EtcdOptions {
  /** "https://10.0.0.1:2379"; of several another is asked when one cannot be reached. */
  readonly endpoints: readonly string[];
  readonly tls?: EtcdTls;
  /** Of one request; default 5,000. */
  readonly timeoutMs?: number;
}

export interface EtcdEntry {
  readonly key: string;
  readonly value: string;
  /** By which a change is told from all others. */
  readonly revision: string;
  /** "0" where it goes with none. */
  readonly lease: string;
}

/** What has to be so, at the moment of a change. */
export type EtcdCondition =
  /** Nothing has a key that begins so. */
  | { readonly nothingBelow: string }
  | { readonly nothingAt: string }
  | { readonly unchanged: Pick<EtcdEntry, "key" | "revision"> };

export type EtcdChange =
  | { readonly put: string; readonly value: string; readonly lease?: string }
  | { readonly delete: string };

export interface Etcd {
  get(key: string): Promise<EtcdEntry | undefined>;
  list(prefix: string): Promise<EtcdEntry[]>;
  /** All changes in one step, if all conditions hold; resolves to whether they did. */
  change(conditions: readonly EtcdCondition[], changes: readonly EtcdChange[]): Promise<boolean>;
  grantLease(ttlSeconds: number): Promise<string>;
  /** Resolves to false when it is lost. */
  keepLease(lease: string): Promise<boolean>;
  revokeLease(lease: string): Promise<void>;
}

/**
 * Connects to nobody yet.
 *
 * Each method throws UNAVAILABLE when no endpoint answers: after a change it is not known then whether it was made.
 * @throws INVALID_ARGUMENT for an endpoint that is none, and, as each method does, for a file that is not there or no
 *   PEM.
 */
export function createEtcd({ endpoints, tls, timeoutMs = 5_000 }: EtcdOptions): Etcd {
  const urls = endpoints.map(toUrl);
  if (urls.length === 0) throw new CleatError("INVALID_ARGUMENT", "etcd has no endpoint");
  const readTls = () => tls && readTlsFiles(tls);
  readTls(); // what is not there is said at once
  let preferred = 0;

  /** `isRepeatable`: done twice it is as well. Any failure lets the next request begin with another endpoint. */
  const call = async (path: string, body: object, { isRepeatable = true } = {}): Promise<Answer> => {
    const files = readTls();
    const first = preferred;
    let failure: unknown;
    for (let tried = 0; tried < urls.length; tried++) {
      const index = (first + tried) % urls.length;
      try {
        return await post(new URL(path, urls[index]), body, files, timeoutMs);
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        failure = error;
        if (preferred === index) preferred = (index + 1) % urls.length;
        // What may have been heard is not said twice.
        if (error.reachedPeer && !isRepeatable) break;
      }
    }
    throw failure;
  };
  const range = async (key: string, end?: string) => {
    const { kvs = [] } = await call("/v3/kv/range", {
      key: encode(key),
      ...(end !== undefined && { range_end: encode(end) }),
    });
    return kvs.map(toEntry);
  };

  return {
    get: async (key) => (await range(key))[0],
    list: (prefix) => range(prefix, endOf(prefix)),
    async change(conditions, changes) {
      const body = { compare: conditions.map(toCompare), success: changes.map(toOperation) };
      return (await call("/v3/kv/txn", body, { isRepeatable: false })).succeeded === true;
    },
    async grantLease(ttlSeconds) {
      const { ID } = await call("/v3/lease/grant", { TTL: String(ttlSeconds) });
      if (ID === undefined) throw new CleatError("INTERNAL", "etcd granted a lease without an id");
      return ID;
    },
    async keepLease(lease) {
      const { result } = await call("/v3/lease/keepalive", { ID: lease });
      return Number(result?.TTL ?? 0) > 0;
    },
    async revokeLease(lease) {
      await call("/v3/lease/revoke", { ID: lease });
    },
  };
}

function toUrl(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.pathname === "/") return url;
  throw new CleatError(
    "INVALID_ARGUMENT",
    `etcd endpoint ${quoteText(endpoint)} is not such as "http://10.0.0.1:2379"`,
  );
}

const encode = (text: string): string => Buffer.from(text).toString("base64");
const decode = (text: string): string => Buffer.from(text, "base64").toString();

/** The first key behind all that begin so. Keys here end in ASCII. */
function endOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

function toEntry({ key, value = "", mod_revision: revision, lease = "0" }: WireEntry): EtcdEntry {
  return { key: decode(key), value: decode(value), revision, lease };
}

function toCompare(condition: EtcdCondition): object {
  if ("unchanged" in condition) {
    const { key, revision } = condition.unchanged;
    return { key: encode(key), target: "MOD", result: "EQUAL", mod_revision: revision };
  }
  const isOne = "nothingAt" in condition;
  const key = isOne ? condition.nothingAt : condition.nothingBelow;
  const end = isOne ? {} : { range_end: encode(endOf(key)) };
  return { key: encode(key), ...end, target: "VERSION", result: "EQUAL", version: "0" };
}

function toOperation(change: EtcdChange): object {
  if ("delete" in change) return { request_delete_range: { key: encode(change.delete) } };
  const { put: key, value, lease } = change;
  return { request_put: { key: encode(key), value: encode(value), ...(lease !== undefined && { lease }) } };
}

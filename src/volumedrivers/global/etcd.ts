/** A client of etcd's version 3 API, by its JSON gateway. Source: etcd v3.4 `api/etcdserverpb/rpc.proto`. */
import { readFileSync } from "node:fs";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { CleatError, isSystemError, quoteText, toCleatError, TransportError } from "../../errors/index.ts";

export interface EtcdOptions {
  /** "https://10.0.0.1:2379"; of several another is asked when one cannot be reached. */
  readonly endpoints: readonly string[];
  /**
   * Paths of files in PEM: whom it trusts, in place of the authorities that Node knows, and as whom it comes. They are
   * read again for each request, as they are renewed.
   */
  readonly tls?: {
    readonly ca?: string | undefined;
    readonly cert?: string | undefined;
    readonly key?: string | undefined;
  };
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
 * @throws INVALID_ARGUMENT for an endpoint that is none, and, as each method does, for a file that is not there or no PEM.
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

interface Answer {
  readonly kvs?: readonly WireEntry[];
  readonly succeeded?: boolean;
  readonly ID?: string;
  readonly result?: { readonly TTL?: string };
  readonly error?: string;
  readonly code?: number;
}

interface WireEntry {
  readonly key: string;
  readonly value?: string;
  readonly mod_revision: string;
  readonly lease?: string;
}

/** As Node takes them. */
type TlsFiles = Pick<SecureContextOptions, "ca" | "cert" | "key">;

/** How much is read of an answer: ten thousand volumes with long options. */
const maxAnswerBytes = 64 * 2 ** 20;

function readTlsFiles({ ca, cert, key }: NonNullable<EtcdOptions["tls"]>): TlsFiles {
  const files = {
    ...(ca !== undefined && { ca: readPem("tls.ca", ca) }),
    ...(cert !== undefined && { cert: readPem("tls.cert", cert) }),
    ...(key !== undefined && { key: readPem("tls.key", key) }),
  };
  try {
    createSecureContext(files);
  } catch (error) {
    const { message } = toCleatError(error);
    throw new CleatError("INVALID_ARGUMENT", `etcd: the files of tls are of no use: ${message}`, { cause: error });
  }
  return files;
}

function readPem(option: string, path: string): Buffer {
  const subject = `etcd: ${option} ${quoteText(path)}`;
  try {
    return readFileSync(path);
  } catch (error) {
    // NOT_FOUND would say that there is no such volume.
    if (!isSystemError(error, "ENOENT", "ENOTDIR")) throw toCleatError(error, subject);
    throw new CleatError("INVALID_ARGUMENT", `${subject} is not there`, { cause: error });
  }
}

function post(url: URL, body: object, tls: TlsFiles | undefined, timeoutMs: number): Promise<Answer> {
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  const address = url.origin;
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => {
      const isUnheard = isSystemError(cause, "ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN");
      const message = `etcd at ${address} does not answer: ${cause.message}`;
      reject(new TransportError("UNAVAILABLE", message, { reachedPeer: !isUnheard, cause }));
    };
    const signal = AbortSignal.timeout(timeoutMs);
    const headers = { "Content-Type": "application/json" };
    const request = send(url, { method: "POST", headers, signal, ...tls }, (response) => {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      response.on("data", (chunk: Buffer) => {
        sizeBytes += chunk.length;
        if (sizeBytes > maxAnswerBytes) request.destroy(new Error(`its answer is over ${maxAnswerBytes} bytes`));
        else chunks.push(chunk);
      });
      response.once("error", fail);
      response.once("end", () => {
        resolve(
          new Promise((answer) =>
            answer(toAnswer(Buffer.concat(chunks).toString(), response.statusCode ?? 0, address)),
          ),
        );
      });
    });
    request.once("error", (error: Error) =>
      fail(signal.aborted ? new Error(`it took more than ${timeoutMs} ms`, { cause: error }) : error),
    );
    request.end(JSON.stringify(body));
  });
}

/** A member that has no leader, or a proxy before none. Source: grpc-gateway v1.9 `runtime/errors.go`; gRPC's codes. */
const isDown = (status: number, code?: number): boolean => status >= 500 || code === 14 || code === 4;

function toAnswer(text: string, status: number, address: string): Answer {
  let answer: Answer;
  try {
    answer = JSON.parse(text) as Answer;
  } catch (cause) {
    if (isDown(status)) {
      const message = `etcd at ${address} does not answer: HTTP status ${status}`;
      throw new TransportError("UNAVAILABLE", message, { reachedPeer: true, cause });
    }
    throw new CleatError("FAILED_PRECONDITION", `what answers at ${address} is no etcd`, { cause });
  }
  if (status === 200 && answer.error === undefined) return answer;
  const said = quoteText(answer.error ?? text.slice(0, 200));
  if (status === 404 && answer.code === undefined) {
    throw new CleatError("FAILED_PRECONDITION", `what answers at ${address} has no etcd API v3: ${said}`);
  }
  if (isDown(status, answer.code)) {
    throw new TransportError("UNAVAILABLE", `etcd at ${address} refuses: ${said}`, { reachedPeer: true });
  }
  const isLost = /requested lease not found/.test(said);
  throw new CleatError(isLost ? "NOT_FOUND" : "UNAVAILABLE", `etcd at ${address} refuses: ${said}`);
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

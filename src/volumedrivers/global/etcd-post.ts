import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { CleatError, isSystemError, quoteText, TransportError } from "../../errors/index.ts";
import type { TlsFiles } from "./etcd-tls.ts";

/** What of the answers of all methods is read. */
export interface Answer {
  readonly kvs?: readonly WireEntry[];
  readonly succeeded?: boolean;
  readonly ID?: string;
  readonly result?: { readonly TTL?: string };
  readonly error?: string;
  readonly code?: number;
}

export interface WireEntry {
  readonly key: string;
  readonly value?: string;
  readonly mod_revision: string;
  readonly lease?: string;
}

/** How much is read of an answer: ten thousand volumes with long options. */
const maxAnswerBytes = 64 * 2 ** 20;

/**
 * One request to one endpoint.
 * @throws TransportError when it does not answer, or not now; CleatError when it is no etcd, or refuses.
 */
export function post(url: URL, body: object, tls: TlsFiles | undefined, timeoutMs: number): Promise<Answer> {
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

import { CleatError, toCleatError } from "../../errors/index.ts";
import { type BodyRecorder, createBodyRecorder } from "./body-recorder.ts";
import type { Exchange } from "./exchange.ts";
import {
  framingOfRequest,
  framingOfResponse,
  parseRequestHead,
  parseResponseHead,
  type RequestHead,
  type ResponseHead,
} from "./message-head.ts";
import { createMessageReader, type MessageReader } from "./message-reader.ts";

export interface ConnectionRecorder {
  /** Whether a call is under way. */
  readonly isBusy: boolean;
  fromEngine(bytes: Buffer): void;
  fromPlugin(bytes: Buffer): void;
  /** The plugin sends no more: ends an answer that ends with its connection. */
  pluginEnded(): void;
  /** Fails the calls under way for `reason`, "plugin closed its connection". */
  broke(reason: string): void;
}

interface RunningExchange {
  readonly startedAt: Date;
  readonly startedMs: number;
  readonly request: RequestHead;
  readonly requestBody: BodyRecorder;
  requestIsWhole: boolean;
  response: ResponseHead | undefined;
  readonly responseBody: BodyRecorder;
  /** Set when the answer is whole. */
  endedMs: number | undefined;
}

/** Makes exchanges of the bytes that pass on one connection. Bytes that are not HTTP end the recording, and no more. */
export function createConnectionRecorder(
  maxRecordedBytes: number,
  onExchange: (exchange: Exchange) => void,
): ConnectionRecorder {
  const running: RunningExchange[] = []; // oldest first; more than one when requests are sent before their turn
  let readable = true;

  const requests = createMessageReader({
    begin: (line) => void parseRequestHead([line]),
    head(lines) {
      const request = parseRequestHead(lines);
      running.push({
        startedAt: new Date(),
        startedMs: performance.now(),
        request,
        requestBody: createBodyRecorder(maxRecordedBytes),
        requestIsWhole: false,
        response: undefined,
        responseBody: createBodyRecorder(maxRecordedBytes),
        endedMs: undefined,
      });
      return framingOfRequest(request);
    },
    body: (bytes) => running.at(-1)?.requestBody.add(bytes),
    end() {
      const exchange = running.at(-1);
      if (exchange !== undefined) exchange.requestIsWhole = true;
      reportWhole();
    },
  });

  const responses = createMessageReader({
    begin: (line) => void parseResponseHead([line]),
    head(lines) {
      const response = parseResponseHead(lines);
      const exchange = unanswered();
      if (exchange === undefined) throw new CleatError("DATA_LOSS", "an answer to no request");
      const framing = framingOfResponse(response, exchange.request.method);
      if (framing !== "again") exchange.response = response;
      return framing;
    },
    body: (bytes) => unanswered()?.responseBody.add(bytes),
    end() {
      const exchange = unanswered();
      if (exchange !== undefined) exchange.endedMs = performance.now();
      reportWhole();
    },
  });

  const unanswered = () => running.find(({ endedMs }) => endedMs === undefined);

  function reportWhole(): void {
    for (;;) {
      const [oldest] = running;
      if (oldest?.endedMs === undefined || !oldest.requestIsWhole) return;
      running.shift();
      onExchange(toExchange(oldest));
    }
  }

  function fail(reason: string): void {
    for (const exchange of running.splice(0)) onExchange(toExchange(exchange, `${momentOf(exchange)}: ${reason}`));
  }

  function read(reader: MessageReader, bytes: Buffer, sender: string): void {
    if (!readable) return;
    try {
      reader.push(bytes);
    } catch (error) {
      readable = false;
      fail(`${sender} sent what cannot be read: ${toCleatError(error).message}`);
    }
  }

  return {
    get isBusy() {
      return running.length > 0;
    },
    fromEngine: (bytes) => read(requests, bytes, "engine"),
    fromPlugin: (bytes) => read(responses, bytes, "plugin"),
    pluginEnded() {
      if (readable) responses.close();
    },
    broke: fail,
  };
}

function momentOf({ requestIsWhole, response, endedMs }: RunningExchange): string {
  if (endedMs !== undefined) return "after the answer, in the middle of the request";
  if (response !== undefined) return "in the middle of the answer";
  return requestIsWhole ? "before the answer" : "in the middle of the request";
}

function toExchange(exchange: RunningExchange, failure?: string): Exchange {
  const { startedAt, startedMs, request, requestBody, response, responseBody, endedMs } = exchange;
  return {
    startedAt: startedAt.toISOString(),
    durationMs: Math.round(((endedMs ?? performance.now()) - startedMs) * 1000) / 1000,
    request: { ...request, body: requestBody.body() },
    ...(response !== undefined && { response: { ...response, body: responseBody.body() } }),
    ...(failure !== undefined && { failure }),
  };
}

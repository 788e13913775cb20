import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CleatError, type ErrorCode } from "../errors/index.ts";
import { defineService } from "./services/define-service.ts";
import { bytes, int32, string } from "./services/fields.ts";
import { message } from "./services/message.ts";
import { type RunningGrpcServer, serveGrpc, type ServeGrpcOptions } from "./server/serve.ts";
import { type GrpcImplementation, implementService } from "./services/sides.ts";

/** `fail` names a code that the call is to fail with, "throw" an error without one. */
export const ask = message("test.Ask", { text: string(1), data: bytes(2), count: int32(3), fail: string(4) });
export const tell = message("test.Tell", { text: string(1), data: bytes(2), number: int32(3) });

const row = { request: ask, response: tell, subject: "text", timeoutMs: 10_000, source: "this test" } as const;

export const echoService = defineService({
  name: "test.Echo",
  methods: {
    once: { ...row, path: "/test.Echo/Once", kind: "unary" },
    /** Answers `count` times, with `data` each time. */
    many: { ...row, path: "/test.Echo/Many", kind: "server-stream" },
    /** Answers with all texts joined, and the length of all data. */
    gather: { ...row, path: "/test.Echo/Gather", kind: "client-stream" },
    /** Answers each with itself. */
    converse: { ...row, path: "/test.Echo/Converse", kind: "bidi" },
    /** Answers when it is given up. */
    wait: { ...row, path: "/test.Echo/Wait", kind: "unary" },
  },
});

/** What the server saw, for assertions about the peer's side. */
export interface Seen {
  readonly aborted: string[];
  readonly left: string[];
  sent: number;
  metadata: Readonly<Record<string, string>>;
}

export function createEcho(): { implementation: GrpcImplementation<typeof echoService>; seen: Seen } {
  const seen: Seen = { aborted: [], left: [], sent: 0, metadata: {} };
  const failIfAsked = (fail: string, text: string) => {
    if (fail === "throw") throw new Error(text);
    if (fail !== "") throw new CleatError(fail as ErrorCode, text);
  };
  return {
    seen,
    implementation: {
      async once({ text, data, fail }, call) {
        seen.metadata = call.metadata;
        failIfAsked(fail, text);
        return { text, data };
      },
      async *many({ text, data, count, fail }, call) {
        call.signal.addEventListener("abort", () => seen.aborted.push((call.signal.reason as CleatError).code));
        try {
          for (let number = 0; number < count; number++) {
            seen.sent++;
            yield { text, data, number };
          }
          failIfAsked(fail, text);
        } finally {
          seen.left.push("many");
        }
      },
      async gather(requests) {
        let text = "";
        let number = 0;
        for await (const request of requests) {
          failIfAsked(request.fail, request.text);
          text += request.text;
          number += request.data.length;
        }
        return { text, number };
      },
      async *converse(requests, call) {
        call.signal.addEventListener("abort", () => seen.aborted.push((call.signal.reason as CleatError).code));
        for await (const { text, data, fail } of requests) {
          failIfAsked(fail, text);
          yield { text, data };
        }
      },
      wait: (_, call) =>
        new Promise((_resolve, reject) => {
          seen.sent++;
          call.signal.addEventListener("abort", () => {
            seen.aborted.push((call.signal.reason as CleatError).code);
            reject(call.signal.reason as Error);
          });
        }),
    },
  };
}

export interface EchoServer extends AsyncDisposable {
  readonly path: string;
  readonly seen: Seen;
  readonly running: RunningGrpcServer;
  /** Another server in the place of one that was closed. */
  restart(): Promise<RunningGrpcServer>;
}

export async function serveEcho(options: Partial<ServeGrpcOptions> = {}): Promise<EchoServer> {
  const folder = await mkdtemp(join(tmpdir(), "cleat-grpc-"));
  const path = join(folder, "s.sock");
  const { implementation, seen } = createEcho();
  const start = () =>
    serveGrpc({
      drainTimeoutMs: 500,
      ...options,
      services: [implementService(echoService, implementation)],
      async listen(server) {
        await once(server.listen(path), "listening");
        return { address: `unix://${path}`, remove: async () => {} };
      },
    });
  let running = await start();
  return {
    path,
    seen,
    running,
    async restart() {
      return (running = await start());
    },
    async [Symbol.asyncDispose]() {
      await running.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Waits for something that happens in another turn; gives up after 5 s. */
export async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries === 1_000) throw new Error("it did not happen");
    await delay(5);
  }
}

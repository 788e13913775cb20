/** What every plugin must do, whatever it implements. */
import { deepEqual, ok } from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { pluginProtocol } from "../../../protocol/index.ts";
import { assertSuccess } from "../../wire/answers.ts";
import { engineDialects } from "../../wire/engine-dialects.ts";
import type { WireCheck, WireContext } from "../context.ts";

const { path, response } = pluginProtocol.methods.activate;
const client = "moby v20.10.24 pkg/plugins/client.go";

const goesOn = "After one bad caller, every volume, network or container that needs the plugin hangs or fails.";

export const pluginChecks: readonly WireCheck[] = [
  ...engineDialects.map((dialect): WireCheck => ({
    id: `plugin/activate-${dialect.id}`,
    title: `answers its activation as ${dialect.versions.join(", ")} send it`,
    source: dialect.source,
    symptom: `"plugin not found", or "does not appear to be a valid plugin", on ${dialect.versions.join(", ")}.`,
    async run({ post }) {
      const { Implements } = assertSuccess(path, await post(path, "", dialect), response);
      ok(Implements.length > 0, "implements nothing");
    },
  })),
  {
    id: "plugin/unknown-method",
    title: "answers 404 to a method that nobody knows",
    source: `${client} IsNotFound`,
    symptom: "Engines ask for methods that came later, and take any other answer for a failure of the plugin.",
    async run({ post, activate }) {
      const { status } = await post("/CleatCheck.NoSuchMethod", "{}");
      ok(status === 404, `answered ${status}`);
      await activate();
    },
  },
  {
    id: "plugin/idle-connection",
    title: "keeps a connection that is idle for longer than 5 s",
    source: "Node v20 http: keepAliveTimeout; Go 1.19 net/http Transport, which reuses idle connections",
    symptom: "Now and then a call fails with EOF, or Docker's retry sends an empty body and a layer is lost.",
    async run({ peer, message, idleMs }) {
      using connection = peer.openConnection();
      await connection.send(message(path, ""));
      await delay(idleMs);
      const second = await connection.send(message(path, ""));
      ok(second.reused, `closed a connection that was idle for ${idleMs} ms`);
      assertSuccess(path, second, response);
    },
  },
  {
    id: "plugin/reused-connection",
    title: "answers many calls on one connection",
    source: "Go 1.19 net/http Transport",
    symptom: "Each call costs a connection; Docker lists volumes slowly, and some calls fail with EOF.",
    async run({ peer, message }) {
      using connection = peer.openConnection();
      for (let call = 0; call < 20; call++) {
        const answer = await connection.send(message(path, ""));
        assertSuccess(path, answer, response);
        ok(answer.reused || call === 0, `closed the connection after ${call} calls`);
      }
    },
  },
  {
    id: "plugin/many-callers",
    title: "answers 64 callers at once, all alike",
    source: "moby v20.10.24 pkg/plugins/plugins.go GetAll; docker compose up of many services",
    symptom: "Containers that are started together fail, and each succeeds alone.",
    async run({ activate }) {
      const [first, ...others] = await Promise.all(Array.from({ length: 64 }, () => activate()));
      for (const other of others) deepEqual(other, first);
    },
  },
  {
    id: "plugin/silent-callers",
    title: "answers while 64 connections are open that say nothing",
    source: "Go 1.19 net/http Transport, which opens spare connections and keeps them",
    symptom: "A plugin with a thread for each connection stops answering after some days.",
    async run({ peer, activate }) {
      const silent = Array.from({ length: 64 }, () => peer.openSocket().on("error", () => {}));
      try {
        await activate();
      } finally {
        for (const socket of silent) socket.destroy();
      }
    },
  },
  {
    id: "plugin/half-closed",
    title: "answers a caller that has closed its half of the connection",
    source: "shutdown(2); socat and nc, by which operators look at plugins",
    advice: true,
    symptom: "None with engines; printf … | nc -U shows an operator nothing.",
    run: (context) => assertAnswersHalfClosed(context),
  },
  {
    id: "plugin/broken-body",
    title: "goes on after a caller that broke off in the middle of a body",
    source: `${client} callWithRetry: Docker's deadline closes the connection`,
    symptom: goesOn,
    async run(context) {
      await sendAndBreakOff(context, `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"Na`);
      await assertGoesOn(context);
    },
  },
  {
    id: "plugin/abandoned-call",
    title: "goes on after a caller that did not wait for its answer",
    source: "podman v4.3.1 libpod/plugin/volume_api.go: client.Timeout of 5 s",
    symptom: goesOn,
    async run(context) {
      await sendAndBreakOff(context, `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`);
      await assertGoesOn(context);
    },
  },
  {
    id: "plugin/not-http",
    title: "goes on after a caller that speaks no HTTP",
    source: "a client that takes a plain socket for one of TLS, or the other way round",
    symptom: goesOn,
    async run(context) {
      await sendAndBreakOff(context, "\u0016\u0003\u0001\0\u0001garbage\r\n\r\n");
      await assertGoesOn(context);
    },
  },
];

/** Twice: the first call may be answered before the plugin has noticed what became of the one before. */
async function assertGoesOn(context: WireContext): Promise<void> {
  await context.activate();
  await context.activate();
}

async function sendAndBreakOff({ peer, callTimeoutMs }: WireContext, text: string): Promise<void> {
  const socket = await openSocket(peer.openSocket(), callTimeoutMs);
  await new Promise((resolve) => socket.write(text, resolve));
  socket.destroy();
}

async function assertAnswersHalfClosed({ peer, callTimeoutMs }: WireContext): Promise<void> {
  const socket = await openSocket(peer.openSocket(), callTimeoutMs);
  try {
    socket.end(`POST ${path} HTTP/1.1\r\nHost: plugin\r\nContent-Length: 0\r\n\r\n`);
    const [first] = (await Promise.race([
      once(socket, "data", { signal: AbortSignal.timeout(callTimeoutMs) }),
      once(socket, "end").then(() => [""]),
    ])) as [Buffer | string];
    ok(String(first).startsWith("HTTP/1.1 200"), `answered ${JSON.stringify(String(first).slice(0, 100))}`);
  } finally {
    socket.destroy();
  }
}

/** With errors, once it is there, left to what is seen of its answers. */
async function openSocket(socket: Socket, timeoutMs: number): Promise<Socket> {
  const ready = "encrypted" in socket ? "secureConnect" : "connect";
  try {
    await once(socket, ready, { signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return socket.on("error", () => {});
}

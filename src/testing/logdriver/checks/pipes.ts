/** What a plugin does with pipes, so that no container waits for it. */
import { equal } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { constants, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { logDriverProtocol } from "../../../protocol/index.ts";
import type { ContainerLog } from "../../../logdriver/index.ts";
import { needsRestart, needsWire, wireOf } from "../../driver-kit.ts";
import { assertFailure } from "../../wire/answers.ts";
import { linesOf, type LogCheck, type LogContext, needsReading } from "../context.ts";

const { startLogging, stopLogging } = logDriverProtocol.methods;
const makes = "logs of containers that there are not";
const waits = "Containers hang as soon as they have printed 64 KiB: docker run of anything talkative never ends.";

export const pipeChecks: readonly LogCheck[] = [
  {
    id: "pipe/emptied",
    title: "takes 4 MiB out of a pipe while nobody reads them back",
    source: "pipe(7): 64 KiB; moby v20.10.24 daemon/logger/adapter.go Log, which waits for the pipe",
    symptom: waits,
    makes,
    async run(context) {
      const log = await context.openLog(context.newContainer());
      await fill(context, log, 4 * 1024 * 1024);
    },
  },
  {
    id: "pipe/many",
    title: "reads 64 pipes side by side, of which most are silent",
    source: "docker run of 64 containers; libuv's pool of 4 threads, in which a read of a pipe that is silent waits",
    symptom: waits,
    makes,
    async run(context) {
      const logs: ContainerLog[] = [];
      for (let at = 0; at < 64; at++) logs.push(await context.openLog(context.newContainer()));
      const last = logs.at(-1);
      if (last !== undefined) await fill(context, last, 256 * 1024);
    },
  },
  {
    id: "pipe/garbage",
    title: "goes on after a pipe with bytes that are no entry",
    source: "kill(2) SIGKILL of a daemon in the middle of an entry",
    symptom: "After a crash of the daemon the plugin ends, or every container that logs hangs.",
    makes,
    async run(context) {
      const { newContainer, openLog, write, pipes } = context;
      const container = newContainer();
      const log = await openLog(container);
      const garbage = Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff]), Buffer.alloc(9_000, 0xfe)]);
      await writeRaw(pipes, garbage);
      await log.close().catch(() => {}); // of a log that makes no sense it may say so
      const next = await openLog(newContainer());
      await write(next, "after");
      await fill(context, next, 256 * 1024);
    },
  },
  {
    id: "pipe/missing",
    title: "refuses to log from a pipe that is not there, and does not wait for it",
    source: "fifo(7): opening a pipe waits for its other end",
    symptom: "docker run hangs, or the plugin stops answering for all containers.",
    needs: needsWire,
    async run(context) {
      const { pipes } = context;
      const File = join(pipes, randomUUID());
      const answer = await post(context, startLogging.path, { File, Info: { ContainerID: "a".repeat(64) } });
      assertFailure(startLogging.path, answer, "a pipe that is not there");
      await wireOf(context).activate();
    },
  },
  {
    id: "pipe/stopped-twice",
    title: "takes a log that was stopped, or never began, for stopped",
    source: "moby v20.10.24 daemon/logger/adapter.go Close: where StopLogging fails the pipe is left",
    symptom: "After a restart of the plugin a pipe is left in /run/docker/logging for each container that ends.",
    needs: needsWire,
    async run(context) {
      const { pipes } = context;
      const answer = await post(context, stopLogging.path, { File: join(pipes, randomUUID()) });
      equal(answer.status, 200, `answered ${answer.status} ${answer.body.toString().trim()}`);
    },
  },
  {
    id: "restart/while-printing",
    title: "a plugin that is killed reads on from the pipes that it read, and nobody tells it again",
    source: "kill(2) SIGKILL; moby v20.10.24 daemon/logger/plugin.go: StartLogging is sent once for each container",
    symptom: `After a crash or an update of the plugin: ${waits}`,
    makes: `${makes}, and new processes of the plugin`,
    needs: (context) => needsRestart(context),
    async run(context) {
      const log = await context.openLog(context.newContainer());
      await context.write(log, "before");
      await context.killAndRestart?.();
      await fill(context, log, 1024 * 1024);
      await log.close();
    },
  },
  {
    id: "restart/kept",
    title: "a plugin that is killed has afterwards what it had, and what was printed meanwhile",
    source: "kill(2) SIGKILL",
    symptom: "After a crash or an update of the plugin docker logs lacks lines.",
    makes: `${makes}, and new processes of the plugin`,
    needs: (context) => needsRestart(context) ?? needsReading(context),
    async run({ newContainer, openLog, write, readAtLeast, read, killAndRestart }) {
      const container = newContainer();
      const log = await openLog(container);
      await write(log, "before");
      await readAtLeast(container, 1);
      await killAndRestart?.();
      await write(log, "after");
      await log.close();
      equal(linesOf(await read(container)).join(), "before,after");
    },
  },
];

/** Writes entries of 8 KiB until so much has been taken. */
async function fill({ write, patienceMs }: LogContext, log: ContainerLog, sizeBytes: number): Promise<void> {
  const line = Buffer.alloc(8 * 1024, "x");
  let taken = 0;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`only ${taken} of ${sizeBytes} bytes were taken out of the pipe in ${patienceMs} ms`)),
      patienceMs,
    );
  });
  try {
    for (; taken < sizeBytes; taken += line.length) await Promise.race([write(log, line), late]);
  } finally {
    clearTimeout(timer);
    late.catch(() => {});
  }
}

/** Into the only pipe of the folder. */
async function writeRaw(folder: string, bytes: Uint8Array): Promise<void> {
  for (const name of await readdir(folder)) {
    await using pipe = await open(join(folder, name), constants.O_WRONLY | constants.O_NONBLOCK);
    await pipe.write(bytes);
  }
}

function post(context: LogContext, path: string, request: object) {
  return wireOf(context).post(path, `${JSON.stringify(request)}\n`);
}

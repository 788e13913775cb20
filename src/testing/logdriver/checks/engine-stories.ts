/** What engines send around a log, as it was recorded, with pipes as they make them. */
import { equal, ok } from "node:assert/strict";
import { createFrameReader, encodeFrame } from "../../../logdriver/index.ts";
import { logDriverProtocol } from "../../../protocol/index.ts";
import { needsWire, wireOf } from "../../driver-kit.ts";
import { assertSuccess } from "../../wire/answers.ts";
import { bodyWithoutArguments, dialectsOf, type EngineDialect } from "../../wire/engine-dialects.ts";
import { firstNs, type LogCheck, type LogContext } from "../context.ts";
import { makePipe } from "./pipe.ts";

const { capabilities, startLogging, stopLogging, readLogs } = logDriverProtocol.methods;
const printed = ["1", "2", "3"];
const zeroTime = "0001-01-01T00:00:00Z";

export const engineStoryChecks: readonly LogCheck[] = dialectsOf(logDriverProtocol).map((dialect): LogCheck => {
  const versions = dialect.versions.join(", ");
  return {
    id: `engine/${dialect.id}-logs`,
    title: `does what ${versions} want for docker run and docker logs`,
    source: `${versions}, recorded (test/golden)`,
    symptom: `docker run --log-driver or docker logs fails on ${versions}.`,
    makes: "logs of containers that there are not",
    needs: needsWire,
    run: (context) => runAndRead(context, dialect),
  };
});

/** On one connection, but for the answer that is a stream. */
async function runAndRead(context: LogContext, dialect: EngineDialect): Promise<void> {
  const { peer, message } = wireOf(context);
  const { id, options } = context.newContainer();
  const Info = infoOf(id, options);
  using connection = peer.openConnection();
  const send = async (method: { readonly path: string }, body: string) =>
    connection.send(message(method.path, body, dialect));
  const json = (value: object) => JSON.stringify(value) + dialect.ending;

  const asked = await send(capabilities, bodyWithoutArguments(dialect, logDriverProtocol.name));
  const canRead = asked.status === 200 && assertSuccess(capabilities.path, asked, capabilities.response).Cap.ReadLogs;
  for (const isReading of canRead ? [false, true] : [false]) {
    await using pipe = await makePipe(context.pipes);
    const started = await send(startLogging, json({ File: pipe.path, Info }));
    assertSuccess(startLogging.path, started, startLogging.response);
    if (isReading) {
      const Config = { Since: zeroTime, Until: zeroTime, Tail: -1, Follow: false };
      const { status, body } = await peer.send(message(readLogs.path, json({ Info, Config }), dialect));
      equal(status, 200, body.toString());
      const reader = createFrameReader();
      const lines = reader.push(body).map(({ line }) => Buffer.from(line).toString().replace(/\n$/, ""));
      equal(lines.join(), printed.join());
      ok(reader.skippedBytes === 0 && reader.unfinished.length === 0, "the answer has bytes that are no entry");
    } else {
      const entries = printed.map((text, at) => ({
        source: "stdout",
        timeNs: firstNs + BigInt(at),
        line: Buffer.from(text),
      }));
      await pipe.write(Buffer.concat(entries.map(encodeFrame)));
    }
    assertSuccess(stopLogging.path, await send(stopLogging, json({ File: pipe.path })), stopLogging.response);
  }
}

function infoOf(id: string, options: Readonly<Record<string, string>>): object {
  return {
    Config: options,
    ContainerID: id,
    ContainerName: "/printer",
    ContainerEntrypoint: "seq",
    ContainerArgs: ["1", "3"],
    ContainerImageID: `sha256:${"9e93".padEnd(64, "0")}`,
    ContainerImageName: "small",
    ContainerCreated: "2026-11-28T10:34:28.328498853Z",
    ContainerEnv: ["PATH=/bin"],
    ContainerLabels: {},
    LogPath: "",
    DaemonName: "docker",
  };
}

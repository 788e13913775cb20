/** Fields keep the wire's spelling. */
import { z } from "zod";
import { defineProtocol } from "../definition/define-protocol.ts";
import { goStruct } from "../definition/go-json.ts";
import { streamMediaType } from "../definition/media-type.ts";

const proxy = "moby v20.10.24 daemon/logger/proxy.go";
const minuteMs = 60_000;
const nothing = goStruct({});

/** Go's zero time, as it writes it. */
const zeroTime = "0001-01-01T00:00:00Z";

/** Source: moby v20.10.24 `daemon/logger/loginfo.go`, `Info`. */
const info = goStruct({
  /** What the user gave with `--log-opt`. */
  Config: z.record(z.string(), z.string()).default({}),
  ContainerID: z.string().default(""),
  ContainerName: z.string().default(""),
  ContainerEntrypoint: z.string().default(""),
  ContainerArgs: z.array(z.string()).default([]),
  ContainerImageID: z.string().default(""),
  ContainerImageName: z.string().default(""),
  ContainerCreated: z.string().default(zeroTime),
  ContainerEnv: z.array(z.string()).default([]),
  ContainerLabels: z.record(z.string(), z.string()).default({}),
  LogPath: z.string().default(""),
  DaemonName: z.string().default(""),
});

const file = z.string();
const noInfo = () => info.decode({});

export const logDriverProtocol = defineProtocol({
  name: "LogDriver",
  summary:
    "Docker's logging plugins (since 17.05; `docker run --log-driver NAME`). The engine writes a container's output " +
    "into a named pipe that the plugin reads: entries, each after its length in four bytes, big endian, each a " +
    "protobuf `LogEntry` (moby v20.10.24 `api/types/plugins/logdriver/entry.proto`). Once the pipe is full the " +
    "container waits for the plugin, unless it was started with `--log-opt mode=non-blocking`.",
  methods: {
    startLogging: {
      summary: "Begins to read the pipe `File`. The engine has made it, and holds it open for reading and writing.",
      path: "/LogDriver.StartLogging",
      framing: "json",
      request: goStruct({ File: file, Info: info.default(noInfo) }),
      response: nothing,
      subject: "File",
      timeoutMs: minuteMs,
      source: proxy,
    },
    stopLogging: {
      summary: "Reads what is left in the pipe, and lets go of it: the engine removes it then.",
      path: "/LogDriver.StopLogging",
      framing: "json",
      request: goStruct({ File: file }),
      response: nothing,
      subject: "File",
      timeoutMs: minuteMs,
      source: proxy,
    },
    capabilities: {
      summary:
        "Whether the plugin has `ReadLogs`. Asked before each `StartLogging`, with an empty body; a failure means " +
        "that it has not, and Docker from 20.10 on keeps a copy of its own for `docker logs` then.",
      path: "/LogDriver.Capabilities",
      framing: "json",
      safe: true,
      optional: true,
      request: nothing,
      response: goStruct({
        Cap: goStruct({ ReadLogs: z.boolean().default(false) }).default({ ReadLogs: false }),
      }),
      timeoutMs: minuteMs,
      source: proxy,
    },
    readLogs: {
      summary:
        "A container's log in the framing of the pipe, for `docker logs`, which prints each `line` as it is: unlike " +
        "in the pipe, it ends with its line break. `Tail` is how many of the last lines are wanted: negative for all " +
        "of them, 0 for none of those that are there. `Since` and `Until` are RFC 3339, Go's zero time for no bound.",
      path: "/LogDriver.ReadLogs",
      framing: "download",
      mediaType: streamMediaType,
      optional: true,
      request: goStruct({
        Info: info.default(noInfo),
        Config: goStruct({
          Since: z.string().default(zeroTime),
          Until: z.string().default(zeroTime),
          Tail: z.int().default(-1),
          Follow: z.boolean().default(false),
        }).default({ Since: zeroTime, Until: zeroTime, Tail: -1, Follow: false }),
      }),
      timeoutMs: minuteMs,
      source: proxy,
    },
  },
});

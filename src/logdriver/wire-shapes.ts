/** The places where the contract's shapes and those of Docker's protocol differ, both ways. */
import type { z } from "zod";
import { CleatError, quoteText } from "../errors/index.ts";
import type { logDriverProtocol } from "../protocol/index.ts";
import type { LoggedContainer, ReadLogsOptions } from "./driver.ts";

type ReadLogsRequest = z.output<(typeof logDriverProtocol)["methods"]["readLogs"]["request"]>;
export type WireInfo = ReadLogsRequest["Info"];
export type WireReadConfig = ReadLogsRequest["Config"];

/**
 * Options of `--log-opt` that the engine itself obeys, and hands on all the same (moby v20.10.24
 * `container/container.go`).
 */
const engineOptions = new Set(["mode", "max-buffer-size"]);
/** Those of the copy that Docker keeps (moby v20.10.24 `daemon/logger/log_cache_opts.go`). */
const isEngineOption = (name: string) => engineOptions.has(name) || name.startsWith("cache-");

export function fromWireInfo(info: WireInfo): LoggedContainer {
  const options = Object.entries(info.Config).filter(([name]) => !isEngineOption(name));
  const createdNs = fromWireTime(info.ContainerCreated);
  return {
    id: info.ContainerID,
    name: info.ContainerName,
    options: Object.fromEntries(options),
    entrypoint: info.ContainerEntrypoint,
    args: info.ContainerArgs,
    imageId: info.ContainerImageID,
    imageName: info.ContainerImageName,
    createdAt: createdNs === undefined ? undefined : new Date(Number(createdNs / 1_000_000n)),
    env: info.ContainerEnv,
    labels: info.ContainerLabels,
    daemonName: info.DaemonName,
  };
}

export function toWireInfo(container: LoggedContainer): WireInfo {
  return {
    Config: { ...container.options },
    ContainerID: container.id,
    ContainerName: container.name,
    ContainerEntrypoint: container.entrypoint,
    ContainerArgs: [...container.args],
    ContainerImageID: container.imageId,
    ContainerImageName: container.imageName,
    ContainerCreated: container.createdAt?.toISOString() ?? zeroTime,
    ContainerEnv: [...container.env],
    ContainerLabels: { ...container.labels },
    LogPath: "",
    DaemonName: container.daemonName,
  };
}

export function fromWireReadConfig({ Since, Until, Tail, Follow }: WireReadConfig): ReadLogsOptions {
  return {
    sinceNs: fromWireTime(Since),
    untilNs: fromWireTime(Until),
    tail: Tail < 0 ? undefined : Tail,
    follow: Follow,
  };
}

export function toWireReadConfig({ sinceNs, untilNs, tail = -1, follow = false }: ReadLogsOptions): WireReadConfig {
  return { Since: toWireTime(sinceNs), Until: toWireTime(untilNs), Tail: tail, Follow: follow };
}

const zeroTime = "0001-01-01T00:00:00Z";
const rfc3339 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/;

/**
 * Nanoseconds since 1970; `undefined` for Go's zero time. @throws INVALID_ARGUMENT when it is no time.
 *
 * Source: go1.19 `time/format.go`, `RFC3339Nano`.
 */
function fromWireTime(text: string): bigint | undefined {
  const [, seconds, fraction = "", zone] = rfc3339.exec(text) ?? [];
  const ms = seconds === undefined ? Number.NaN : Date.parse(`${seconds}${zone}`);
  if (Number.isNaN(ms)) throw new CleatError("INVALID_ARGUMENT", `time ${quoteText(text)} is not of RFC 3339`);
  return text === zeroTime ? undefined : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}

function toWireTime(ns: bigint | undefined): string {
  if (ns === undefined) return zeroTime;
  const second = 1_000_000_000n;
  const nanos = ((ns % second) + second) % second;
  const whole = new Date(Number((ns - nanos) / 1_000_000n)).toISOString().slice(0, -".000Z".length);
  return `${whole}.${String(nanos).padStart(9, "0")}Z`;
}

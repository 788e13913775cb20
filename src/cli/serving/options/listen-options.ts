import { readFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { toCleatError } from "../../../errors/index.ts";
import type { SystemdListen, TcpListen, TlsListen, UnixListen } from "../../../plugin/index.ts";
import { type HostAndPort, type Logger, parseAddress } from "../../../transport/index.ts";
import { type CommandContext, type CommandOptions, UsageError } from "../../terminal/command.ts";
import { socketFolderToServeIn } from "../../terminal/default-folders.ts";
import { readAccountId } from "./account-ids.ts";

/**
 * Where a command that serves listens: on a socket, its own or one that was passed. `help` says what is its default.
 */
export const socketOptions = (help: string) =>
  ({
    socket: { type: "string", value: "PATH", help },
    "socket-owner": { type: "string", value: "USER", help: "name or number; default this user" },
    "socket-group": { type: "string", value: "GROUP", help: "name or number; default this user's" },
    "socket-mode": { type: "string", value: "MODE", help: "octal; default 600" },
    systemd: { type: "boolean", help: "take the socket that systemd passes: see cleat units" },
  }) as const satisfies CommandOptions;

/** Where a command that serves a plugin listens: on a socket, on plaintext TCP, or with TLS. */
export const listenOptions = {
  ...socketOptions("default /run/docker/plugins/NAME.sock; for users in XDG_RUNTIME_DIR"),
  tcp: { type: "string", value: "HOST:PORT", help: "listen there instead, in plaintext, and write a spec file" },
  "spec-dir": { type: "string", value: "PATH", help: "where the spec file goes; default /etc/docker/plugins" },
  "tls-cert": { type: "string", value: "FILE", help: "with --tcp: serve TLS with this certificate (PEM)" },
  "tls-key": { type: "string", value: "FILE", help: "its key" },
  "tls-ca": {
    type: "string",
    value: "FILE",
    help: "what engines are told to trust; default a self-signed --tls-cert",
  },
  "tls-client-ca": { type: "string", value: "FILE", help: "serve only those who show a certificate of this authority" },
  "tls-client-cert": { type: "string", value: "FILE", help: "what engines are told to show" },
  "tls-client-key": { type: "string", value: "FILE", help: "its key; only engines should be able to read it" },
} as const satisfies CommandOptions;

type Option = keyof typeof listenOptions;
type TextOption = Exclude<Option, "systemd">;
export type ListenValues = { readonly [O in TextOption]?: string | undefined } & {
  readonly systemd?: boolean | undefined;
};
/** Those of `socketOptions` alone. */
export type SocketValues = Pick<ListenValues, keyof ReturnType<typeof socketOptions>>;

/** Where a plugin of the command listens. */
export type Listen = UnixListen | SystemdListen | TcpListen | TlsListen;

/** What an option is of no use without. */
const needed: Partial<Record<Option, readonly Option[]>> = {
  "spec-dir": ["tcp"],
  "tls-cert": ["tcp", "tls-key"],
  "tls-key": ["tls-cert"],
  "tls-ca": ["tls-cert"],
  "tls-client-ca": ["tls-cert", "tls-client-cert", "tls-client-key"],
  "tls-client-cert": ["tls-client-ca"],
  "tls-client-key": ["tls-client-ca"],
};

/** Of these only one. */
const ways: readonly (readonly Option[])[] = [
  ["tcp"],
  ["systemd"],
  ["socket", "socket-owner", "socket-group", "socket-mode"],
];

/**
 * Where the plugin `name` is to listen, its certificates read.
 * @throws UsageError when options contradict each other, or one lacks another.
 */
export async function readListenOptions(name: string, values: ListenValues, context: CommandContext): Promise<Listen> {
  assertTogether(values);
  if (values.systemd === true) return { systemd: true };
  if (values.tcp === undefined) {
    const path = values.socket ?? join(await socketFolderToServeIn(context), `${name}.sock`);
    return toUnixListen(path, values);
  }
  const tcp = toPlace(values.tcp);
  const specDirectory = values["spec-dir"];
  const file = { name, ...(specDirectory !== undefined && { specDirectory: absolute("spec-dir", specDirectory) }) };
  if (values["tls-cert"] === undefined) return { tcp, ...file };
  return { ...(await toTls(tcp, values["tls-cert"], values)), ...file };
}

/**
 * The same of `socketOptions` alone; `byDefault` says where without one.
 * @throws UsageError when options contradict each other.
 */
export async function readSocketOptions(
  values: SocketValues,
  byDefault: () => Promise<string>,
): Promise<UnixListen | SystemdListen> {
  assertTogether(values);
  if (values.systemd === true) return { systemd: true };
  return toUnixListen(values.socket ?? (await byDefault()), values);
}

/** Says so where whoever can connect commands the plugin. */
export function warnOfStrangers(listen: Listen, logger: Logger): void {
  if ("unix" in listen || "systemd" in listen || ("tls" in listen && listen.tls.clientCa !== undefined)) return;
  const { host, port } = "tls" in listen ? listen.tls : listen.tcp;
  const lack = "tls" in listen ? "clients show no certificate" : "TCP is not authenticated";
  logger.warn({ host, port }, `whoever can connect there commands the driver: ${lack}`);
}

function assertTogether(values: ListenValues): void {
  for (const [option, others] of Object.entries(needed)) {
    if (values[option as Option] === undefined) continue;
    const missing = others.find((other) => values[other] === undefined);
    if (missing !== undefined) throw new UsageError(`--${option} is of no use without --${missing}`);
  }
  const [way, other] = ways.flatMap((options) => options.find((option) => values[option] !== undefined) ?? []);
  if (other !== undefined) throw new UsageError(`--${way} and --${other} exclude each other`);
}

function toPlace(text: string): HostAndPort {
  try {
    const address = parseAddress(`tcp://${text}`);
    if ("tcp" in address && /:\d+$/.test(text)) return address.tcp;
  } catch (error) {
    if (toCleatError(error).code !== "INVALID_ARGUMENT") throw error;
  }
  throw new UsageError(`--tcp takes HOST:PORT, not "${text}"`);
}

async function toTls(
  place: HostAndPort,
  certFile: string,
  values: ListenValues,
): Promise<Pick<TlsListen, "tls" | "spec">> {
  const [cert, key, clientCa] = await Promise.all([
    readPem("tls-cert", certFile),
    readPem("tls-key", values["tls-key"] ?? ""),
    values["tls-client-ca"] === undefined ? undefined : readPem("tls-client-ca", values["tls-client-ca"]),
  ]);
  const told = (option: TextOption) => values[option] && absolute(option, values[option]);
  return {
    tls: { ...place, cert, key, clientCa },
    spec: {
      caFile: told("tls-ca") ?? absolute("tls-cert", certFile),
      certFile: told("tls-client-cert"),
      keyFile: told("tls-client-key"),
    },
  };
}

async function readPem(option: TextOption, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw toCleatError(error, `--${option}`);
  }
}

async function toUnixListen(path: string, values: SocketValues): Promise<UnixListen> {
  const { "socket-owner": owner, "socket-group": group, "socket-mode": mode } = values;
  if (mode !== undefined && !/^0?[0-7]{3}$/.test(mode))
    throw new UsageError(`--socket-mode takes 600 or the like, not "${mode}"`);
  return {
    unix: absolute("socket", path),
    ...(owner !== undefined && { owner: await readAccountId("user", owner) }),
    ...(group !== undefined && { group: await readAccountId("group", group) }),
    ...(mode !== undefined && { mode: Number.parseInt(mode, 8) }),
  };
}

/** An engine, or a later start, has another working directory. */
export function absolute(option: string, path: string): string {
  if (isAbsolute(path)) return path;
  throw new UsageError(`--${option} takes an absolute path, not "${path}"`);
}

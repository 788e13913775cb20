/** What `serve` is given, checked for authors who have no compiler to do it: one sentence that names the field. */
import { z } from "zod";
import { CleatError, quoteValue } from "../errors/index.ts";
import { pluginNamePattern } from "../protocol/index.ts";

const callable = z.custom<(...args: never[]) => unknown>((value) => typeof value === "function", "is not a function");
const text = z.string({ error: "is not a string" }).min(1, "is empty");
const whole = z.int({ error: "is not a whole number" }).nonnegative("is negative");
const port = whole.max(65_535, "is over 65535");
const hostAndPort = { host: text, port };
const spec = { name: text, specDirectory: text.optional() };

const listenTables = {
  unix: z.strictObject({
    unix: text,
    folderMode: whole.max(0o7777, "is not a mode of a folder").optional(),
    owner: whole.optional(),
    group: whole.optional(),
    mode: whole.max(0o7777, "is not a mode of a file").optional(),
  }),
  systemd: z.strictObject({
    systemd: z.union([z.literal(true), text], { error: "is neither true nor a name" }),
  }),
  tcp: z.strictObject({ ...spec, tcp: z.strictObject(hostAndPort) }),
  tls: z.strictObject({
    ...spec,
    tls: z.strictObject({
      ...hostAndPort,
      cert: text,
      key: text,
      clientCa: text.optional(),
      handshakeTimeoutMs: whole.optional(),
    }),
    spec: z.strictObject({
      caFile: text,
      certFile: text.optional(),
      keyFile: text.optional(),
      serverName: text.optional(),
    }),
  }),
};

const logger = z.looseObject({ debug: callable, info: callable, warn: callable, error: callable });

const service = z.looseObject({
  protocol: z.looseObject({ name: text, methods: z.looseObject({}) }),
  implementation: z.looseObject({}),
});

const serveOptions = z.strictObject({
  drivers: z.array(z.unknown(), { error: "is not a list" }).min(1, "is empty: there is nothing to serve"),
  listen: z.unknown(),
  handleSignals: z.boolean({ error: "is not true or false" }).optional(),
  logger: logger.optional(),
  drainTimeoutMs: z.number({ error: "is not a number" }).nonnegative("is negative").optional(),
  maxRequestBytes: whole.optional(),
  signal: z.custom<AbortSignal>((value) => value instanceof EventTarget, "is not an AbortSignal").optional(),
});

/** @throws INVALID_ARGUMENT about the first field that is not what it has to be. */
export function assertServeOptions(options: unknown): void {
  check(serveOptions, withoutUndefined(options), "serve: its options");
  const { drivers, listen } = options as { drivers: readonly unknown[]; listen: unknown };
  for (const [at, driver] of drivers.entries()) assertDriver(driver, `serve: drivers[${at}]`);
  assertListen(listen);
}

function assertDriver(driver: unknown, field: string): void {
  const makers = "createVolumeDriverPlugin({ driver }) and createGraphDriverPlugin({ open }) make one";
  if (driver instanceof Promise) throw toInvalidError(`${field} is a promise; await it`);
  if (typeof driver !== "object" || driver === null)
    throw toInvalidError(`${field} is ${quoteValue(driver)}, no driver; ${makers}`);
  const { service: given, ...hooks } = driver as { service?: unknown } & Partial<
    Record<(typeof hookNames)[number], unknown>
  >;
  if (given === undefined) throw toInvalidError(`${field} has no service, and so is not a driver to serve; ${makers}`);
  check(service, given, `${field}.service`);
  for (const name of hookNames) if (hooks[name] !== undefined) check(callable, hooks[name], `${field}.${name}`);
}

const hookNames = ["onListening", "onClosing", "close"] as const;

function assertListen(listen: unknown): void {
  const ways = Object.keys(listenTables).join(", ");
  if (typeof listen === "string") {
    if (pluginNamePattern.test(listen)) return;
    throw toInvalidError(
      `serve: listen is ${quoteValue(listen)}, and no plugin's name; a socket's path is { unix: PATH }`,
    );
  }
  if (typeof listen !== "object" || listen === null)
    throw toInvalidError(`serve: listen is ${quoteValue(listen)}, and no address`);
  const given = Object.entries(listen).filter(([, value]) => value !== undefined);
  const named = given.filter((entry): entry is [keyof typeof listenTables, unknown] =>
    Object.hasOwn(listenTables, entry[0]),
  );
  const [way, ...others] = named;
  if (way === undefined) {
    const has = given.length === 0 ? "is empty" : `has ${given.map(([key]) => JSON.stringify(key)).join(", ")}`;
    throw toInvalidError(`serve: listen ${has}, and must have one of ${ways}`);
  }
  if (others.length > 0)
    throw toInvalidError(`serve: listen has ${named.map(([key]) => key).join(" and ")}; one of them is enough`);
  check(listenTables[way[0]], withoutUndefined(listen), "serve: listen");
}

function check(schema: z.ZodType, value: unknown, field: string): void {
  const issue = schema.safeParse(value).error?.issues[0];
  if (issue === undefined) return;
  const path = issue.path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
  const subject = path === "" || !field.endsWith("its options") ? `${field}${path}` : `serve: ${path.slice(1)}`;
  if (issue.code === "unrecognized_keys")
    throw toInvalidError(`${subject} has "${issue.keys[0]}", which it does not know`);
  const found = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)[key], value);
  if (found === undefined) throw toInvalidError(`${subject} is missing`);
  const problem =
    issue.code === "invalid_type" && issue.message.startsWith("Invalid") ? "is not an object" : issue.message;
  throw toInvalidError(`${subject} ${problem}: ${quoteValue(found)}`);
}

/** What is left out and what is said to be undefined are the same. */
function withoutUndefined(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, given]) => given !== undefined));
}

function toInvalidError(message: string): CleatError {
  return new CleatError("INVALID_ARGUMENT", message);
}

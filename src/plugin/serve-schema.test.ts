import { expect, it } from "vitest";
import { createGraphDriverPlugin } from "../graphdriver/index.ts";
import { createVolumeDriverPlugin } from "../volume/index.ts";
import { serve } from "./index.ts";
import { assertServeOptions } from "./serve-schema.ts";

const listen = { unix: "/nowhere/s.sock" };
const service = { protocol: { name: "Test", methods: {} }, implementation: {} };
const drivers = [{ service }];
const tcp = { host: "127.0.0.1", port: 0 };
const tls = { ...tcp, cert: "c", key: "k" };
const wrong = (options: unknown): Promise<unknown> => serve(options as Parameters<typeof serve>[0]);

it.each<[options: unknown, sentence: string]>([
  [undefined, "serve: its options is missing"],
  ["text", "serve: its options is not an object: 'text'"],
  [{}, "serve: drivers is missing"],
  [{ drivers: {}, listen }, "serve: drivers is not a list: {}"],
  [{ drivers: [], listen }, "serve: drivers is empty: there is nothing to serve: []"],
  [{ drivers: [{}], listen }, "serve: drivers[0] has no service, and so is not a driver to serve; "],
  [{ drivers: [drivers[0], undefined], listen }, "serve: drivers[1] is undefined, no driver; createVolumeDriverPlugin"],
  [{ drivers: [Promise.resolve(drivers[0])], listen }, "serve: drivers[0] is a promise; await it"],
  [{ drivers: [{ service: {} }], listen }, "serve: drivers[0].service.protocol is missing"],
  [{ drivers: [{ service, close: 5 }], listen }, "serve: drivers[0].close is not a function: 5"],
  [{ drivers }, "serve: listen is missing"],
  [
    { drivers, listen: "/run/x.sock" },
    "serve: listen is '/run/x.sock', and no plugin's name; a socket's path is { unix: PATH }",
  ],
  [{ drivers, listen: {} }, "serve: listen is empty, and must have one of unix, systemd, tcp, tls"],
  [{ drivers, listen: { socket: "/x" } }, 'serve: listen has "socket", and must have one of unix, systemd, tcp, tls'],
  [{ drivers, listen: 5 }, "serve: listen is 5, and no address"],
  [{ drivers, listen: { systemd: false } }, "serve: listen.systemd is neither true nor a name: false"],
  [{ drivers, listen, handleSignals: "no" }, "serve: handleSignals is not true or false: 'no'"],
  [{ drivers, listen: { unix: 5 } }, "serve: listen.unix is not a string: 5"],
  [{ drivers, listen: { unix: "" } }, "serve: listen.unix is empty: ''"],
  [{ drivers, listen: { ...listen, mode: "0660" } }, "serve: listen.mode is not a whole number: '0660'"],
  [{ drivers, listen: { ...listen, grup: 5 } }, 'serve: listen has "grup", which it does not know'],
  [{ drivers, listen: { ...listen, tcp } }, "serve: listen has unix and tcp; one of them is enough"],
  [{ drivers, listen: { tcp: "127.0.0.1:80", name: "x" } }, "serve: listen.tcp is not an object: '127.0.0.1:80'"],
  [
    { drivers, listen: { tcp: { host: "h", port: "80" }, name: "x" } },
    "serve: listen.tcp.port is not a whole number: '80'",
  ],
  [{ drivers, listen: { tcp: { host: "h", port: 70_000 }, name: "x" } }, "serve: listen.tcp.port is over 65535: 70000"],
  [{ drivers, listen: { tcp } }, "serve: listen.name is missing"],
  [{ drivers, listen: { tls, name: "x" } }, "serve: listen.spec is missing"],
  [{ drivers, listen: { tls: tcp, name: "x", spec: { caFile: "/c" } } }, "serve: listen.tls.cert is missing"],
  [{ drivers, listen, loger: console }, 'serve: its options has "loger", which it does not know'],
  [{ drivers, listen, logger: {} }, "serve: logger.debug is missing"],
  [{ drivers, listen, drainTimeoutMs: "10s" }, "serve: drainTimeoutMs is not a number: '10s'"],
  [{ drivers, listen, signal: "SIGTERM" }, "serve: signal is not an AbortSignal: 'SIGTERM'"],
])("%o is told in a sentence", async (options, sentence) => {
  const error = await wrong(options).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringContaining(sentence) });
  expect((error as Error).message).not.toContain("\n");
});

it("takes what the types take", () => {
  const logger = Object.create({ debug() {}, info() {}, warn() {}, error() {} }) as object;
  const given = {
    drivers,
    logger,
    signal: new AbortController().signal,
    drainTimeoutMs: 0.5,
    maxRequestBytes: undefined,
  };
  assertServeOptions({ ...given, listen: { ...listen, mode: 0o660, owner: 0, group: undefined } });
  assertServeOptions({ ...given, listen: { tcp, name: "x", specDirectory: "/etc" } });
  assertServeOptions({ ...given, listen: { tls, name: "x", spec: { caFile: "/c", certFile: undefined } } });
  assertServeOptions({ ...given, drivers, listen: { unix: "/x", tcp: undefined } });
});

it.each<[driver: unknown, sentence: string]>([
  [undefined, "createVolumeDriverPlugin: driver is undefined"],
  [{}, "createVolumeDriverPlugin: driver lacks the methods capabilities, create, list"],
  [Promise.resolve(), "createVolumeDriverPlugin: driver is a promise; await it"],
])("a volume driver that is %o is refused", (driver, sentence) => {
  const refused = expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringContaining(sentence) });
  expect(() => createVolumeDriverPlugin({ driver: driver as never })).toThrow(refused);
  expect(() => createVolumeDriverPlugin(undefined as never)).toThrow("createVolumeDriverPlugin: driver is undefined");
});

it.each([undefined, {}, { open: 5 }, { driver: {} }])("a graph driver that is %o is refused", (options) => {
  const refused = expect.objectContaining({ code: "INVALID_ARGUMENT" });
  expect(() => createGraphDriverPlugin(options as never)).toThrow(refused);
});

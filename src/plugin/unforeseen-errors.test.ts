/**
 * What becomes of an error that an author's driver throws: its text on the wire, and its stack where the author sees
 * it.
 */
import { request } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CleatError } from "../errors/index.ts";
import { createGraphDriverPlugin, type GraphDriver } from "../graphdriver/index.ts";
import { createVolumeDriverPlugin, type VolumeDriver } from "../volume/index.ts";
import { type Logger, serve, type ServedDriver, type ServeOptions, silentLogger } from "./index.ts";

let folder: string;
let said: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cleat-"));
  said = "";
  vi.spyOn(process.stderr, "write").mockImplementation((chunk) => {
    said += String(chunk);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** All that a driver has, each method throwing at once or later. */
function failing(thrown: unknown, when: "at once" | "later" = "later"): never {
  const fail = (): never => {
    throw thrown;
  };
  const method = when === "at once" ? fail : async () => fail();
  const close = async (): Promise<void> => {};
  // Nobody awaits it for a promise.
  const answers = new Map<string | symbol, unknown>(Object.entries({ name: "theirs", close }));
  const get = (_: object, name: string | symbol): unknown => {
    return name === "then" || answers.has(name) ? answers.get(name) : method;
  };
  return new Proxy({}, { get }) as never;
}

const volumes = (thrown: unknown, when?: "at once"): ServedDriver =>
  createVolumeDriverPlugin({ driver: failing(thrown, when) as VolumeDriver });
const layers = (thrown: unknown, when?: "at once"): ServedDriver =>
  createGraphDriverPlugin({ open: async () => failing(thrown, when) as GraphDriver });

async function call(address: string, path: string, body: object): Promise<string> {
  const { protocol, hostname, port, pathname } = new URL(address);
  const where = protocol === "unix:" ? { socketPath: pathname } : { host: hostname, port };
  const reply = await new Promise<Parameters<typeof text>[0]>((resolve, reject) => {
    request({ ...where, method: "POST", path }, (answer) => resolve(answer))
      .on("error", reject)
      .end(JSON.stringify(body));
  });
  return (JSON.parse(await text(reply)) as { Err: string }).Err;
}

const init = { Home: "/nowhere", Opts: [], UIDMaps: [], GIDMaps: [] };

/** Serves one driver, calls it, and gives back what the wire said. */
async function errOf(driver: ServedDriver, path: string, options: Partial<ServeOptions> = {}): Promise<string> {
  await using plugin = await serve({ drivers: [driver], listen: { unix: join(folder, "s.sock") }, ...options });
  if (path.startsWith("/Graph")) await call(plugin.address, "/GraphDriver.Init", init);
  return await call(plugin.address, path, { Name: "v", ID: "l" });
}

const tables: readonly [string, string, (thrown: unknown, when?: "at once") => ServedDriver][] = [
  ["volume", "/VolumeDriver.Create", volumes],
  ["graph", "/GraphDriver.Remove", layers],
];

describe.each(tables)("an error of a %s driver", (_, path, make) => {
  it.each(["unix", "tcp"])("is its text over %s, and is written with its stack", async (transport) => {
    const tcp = { tcp: { host: "127.0.0.1", port: 0 }, name: "theirs", specDirectory: folder };
    const options = transport === "tcp" ? { listen: tcp } : {};
    expect(await errOf(make(new Error("x")), path, options)).toBe("x");
    expect(said).toContain(path);
    expect(said).toMatch(/Error: x\n\s+at .*unforeseen-errors\.test\.ts/);
  });

  it.each<[label: string, thrown: unknown, wanted: string]>([
    ["a text", "x", "x"],
    ["undefined", undefined, "undefined was thrown, and no error"],
    ["null", null, "null was thrown, and no error"],
    ["without a message", new Error(""), "Error, without a message"],
    ["of two lines", new Error("two\nlines"), "two\nlines"],
    ["very long", new Error("y".repeat(100_000)), `${"y".repeat(8192)}… (100000 characters)`],
    [
      "the system's",
      Object.assign(new Error("ENOENT: gone"), { code: "ENOENT", syscall: "open", errno: -2 }),
      "ENOENT: gone",
    ],
  ])("that is %s is told", async (_label, thrown, wanted) => {
    expect(await errOf(make(thrown), path)).toBe(wanted);
    expect(said).not.toBe("");
  });

  it("is told when it is thrown at once", async () => {
    expect(await errOf(make(new Error("x"), "at once"), path)).toBe("x");
  });

  it("that was foreseen is told as it is, and not written", async () => {
    expect(await errOf(make(new CleatError("NOT_FOUND", 'volume "v" is away')), path)).toBe('volume "v" is away');
    expect(said).toBe("");
  });

  it("goes to a logger in place of standard error", async () => {
    const errors: object[] = [];
    const logger: Logger = { ...silentLogger, error: (fields) => void errors.push(fields) };
    const thrown = new Error("x");
    await errOf(make(thrown), path, { logger });
    expect(errors).toMatchObject([{ method: path, err: thrown }]);
    await errOf(make(thrown), path, { logger: silentLogger });
    expect(said).toBe("");
  });
});

/** A driver with one method, served in a folder of its own for each test. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { z } from "zod";
import { defineProtocol, goStruct } from "../protocol/index.ts";
import { createClient, createHttpTransport, implement, parseAddress } from "../transport/index.ts";
import { type RunningPlugin, serve, type ServedDriver } from "./index.ts";

export const protocolNamed = <N extends string>(name: N) =>
  defineProtocol({
    name,
    methods: {
      wait: {
        path: `/${name}.Wait`,
        framing: "json",
        request: goStruct({}),
        response: goStruct({ Text: z.string() }),
        timeoutMs: 5_000,
        source: "this test",
      },
    },
  });
export const testProtocol = protocolNamed("Test");

export function driver(
  wait: () => Promise<string> = async () => "done",
  name = "Test",
  closing?: () => void,
): ServedDriver {
  return {
    service: implement(protocolNamed(name), { wait: async () => ({ Text: await wait() }) }),
    close: async () => closing?.(),
  };
}

export let folder: string;
export let path: string;
const plugins: RunningPlugin[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-"));
  path = join(folder, "plugins", "p.sock");
});

afterEach(async () => {
  for (const plugin of plugins.splice(0)) await plugin.close();
  await rm(folder, { recursive: true });
});

export async function start(options: Partial<Parameters<typeof serve>[0]> = {}): Promise<RunningPlugin> {
  const plugin = await serve({ drivers: [driver()], listen: { unix: path }, drainTimeoutMs: 50, ...options });
  plugins.push(plugin);
  return plugin;
}

export const clientOf = (address: string) => createClient(testProtocol, createHttpTransport(parseAddress(address)));

export function withResolvers<T>() {
  let resolve!: (value: T | PromiseLike<T>) => void;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}

import { expect, it } from "vitest";
import { pluginProtocol } from "../protocol/index.ts";
import { createHandler, createMemoryTransport, implement } from "../transport/index.ts";
import { createMetricsCollectorFromPlugin, createMetricsCollectorPlugin } from "./index.ts";

it("is a collector behind the protocol", async () => {
  const asked: string[] = [];
  const collector = {
    name: "memory",
    start: async () => void asked.push("start"),
    stop: async () => Promise.reject(new Error("not now")),
    close: async () => void asked.push("close"),
  };
  const plugin = createMetricsCollectorPlugin({ collector });
  const activation = implement(pluginProtocol, { activate: async () => ({ Implements: ["MetricsCollector"] }) });
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const transport = createMemoryTransport(createHandler([activation, plugin.service], { logger }));
  const remote = await createMetricsCollectorFromPlugin(transport, { name: "p" });
  await remote.start();
  await expect(remote.stop()).rejects.toThrow("not now");
  await remote.close();
  expect(asked).toEqual(["start"]);
  await plugin.close();
  expect(asked).toEqual(["start", "close"]);
  expect(() => createMetricsCollectorPlugin({ collector: {} as never })).toThrow(
    "lacks the methods start, stop, close",
  );
});

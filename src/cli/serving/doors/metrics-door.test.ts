import { get } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { cleat, folder, serving } from "../../run.test.support.ts";

const metricsAt = (socketPath: string) =>
  new Promise<string>((resolve, reject) => {
    get({ socketPath, path: "/metrics" }, async (response) => resolve(await text(response))).on("error", reject);
  });

it("counts what the command answers, for as long as it serves", async () => {
  const socket = join(folder, "metrics.sock");
  const { stop } = await serving("--metrics", socket);
  await cleat(["call", "p", "GraphDriver.Capabilities"]);
  expect(await metricsAt(socket)).toMatch(/^cleat_calls_total\{subsystem="GraphDriver",method="Capabilities",.*\} 1$/m);
  const { code, out } = await stop();
  expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining(`Metrics at unix://${socket}\n`) });
  await expect(metricsAt(socket)).rejects.toMatchObject({ code: "ENOENT" });
});

it.each(["0.0.0.0:9323", "example.org:80", "https://127.0.0.1:1", "127.0.0.1", "x y"])(
  "refuses %j",
  async (address) => {
    const { code, out } = await cleat(["serve", "graph", "--name", "p", "--metrics", address, "--log-level", "silent"]);
    expect(code).toBeGreaterThan(0);
    expect(out).toBe("");
  },
);

it.each(["relative.sock", "127.0.0.1:99999", "", "https://127.0.0.1:1"])(
  "says of %j what is taken",
  async (address) => {
    const { code, err } = await cleat(["serve", "graph", "--name", "p", "--metrics", address]);
    const told = `cleat: --metrics takes a socket's path or 127.0.0.1:PORT, not ${JSON.stringify(address)}\n`;
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(told) });
  },
);

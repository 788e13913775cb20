import { get, type RequestOptions } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { CleatError } from "../../errors/index.ts";
import { volumeDriverProtocol } from "../../protocol/index.ts";
import {
  callChannel,
  createClient,
  createHandler,
  createMemoryTransport,
  implement,
  silentLogger,
  type TracedCall,
} from "../../transport/index.ts";
import { serveMetrics } from "./serve-metrics.ts";

/** A plugin that answers what it is asked, and what it knows nothing of. */
function openPlugin() {
  const no = async (): Promise<never> => {
    throw new CleatError("NOT_FOUND", "no such volume");
  };
  const some = async () => ({ Volumes: [] });
  const implementation = { create: no, list: some, get: no, remove: no, path: no, mount: no, unmount: no };
  const handler = createHandler([implement(volumeDriverProtocol, implementation)], { logger: silentLogger });
  const transport = createMemoryTransport(handler);
  return { client: createClient(volumeDriverProtocol, transport), transport };
}

const fetchText = (options: RequestOptions) =>
  new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    get(options, async (response) => resolve({ status: response.statusCode, body: await text(response) })).on(
      "error",
      reject,
    );
  });

it("counts calls by method and outcome, and how long they took", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cleat-metrics-"));
  const socketPath = join(folder, "m.sock");
  const { client } = openPlugin();
  await client.list({}); // before anybody counts
  {
    await using metrics = await serveMetrics({ listen: { unix: socketPath } });
    expect(metrics.address).toBe(`unix://${socketPath}`);
    await client.list({});
    await client.list({});
    await client.get({ Name: "a" }).catch(() => {});
    await client.capabilities({}).catch(() => {}); // which it does not have
    const { body } = await fetchText({ socketPath, path: "/metrics" });
    const labels = (method: string, outcome: string) =>
      `subsystem="VolumeDriver",method="${method}",outcome="${outcome}"`;
    expect(body).toContain(`cleat_calls_total{${labels("List", "OK")}} 2\n`);
    expect(body).toContain(`cleat_calls_total{${labels("Get", "NOT_FOUND")}} 1\n`);
    expect(body).toContain('cleat_calls_total{subsystem="?",method="?",outcome="UNIMPLEMENTED"} 1\n');
    expect(body).toContain(`cleat_call_duration_seconds_bucket{${labels("List", "OK")},le="120"} 2\n`);
    expect(body).toContain(`cleat_call_duration_seconds_bucket{${labels("List", "OK")},le="+Inf"} 2\n`);
    expect(body).toContain(`cleat_call_duration_seconds_count{${labels("List", "OK")}} 2\n`);
    expect(body).toContain("cleat_calls_running 0\n");
    expect(body).toMatch(/^process_resident_memory_bytes \d{7,}$/m);
    assertTextFormat(body);
    expect((await fetchText({ socketPath, path: "/" })).status).toBe(404);
  }
  expect(callChannel.hasSubscribers).toBe(false);
  await rm(folder, { recursive: true });
});

/** Every line is a comment or a sample; each family has its type before its samples, and stands once. */
function assertTextFormat(body: string): void {
  expect(body.endsWith("\n")).toBe(true);
  const types = [...body.matchAll(/^# TYPE (\S+) (?:counter|gauge|histogram)$/gm)].map(([, name]) => name);
  expect(new Set(types).size).toBe(types.length);
  const sample =
    /^([a-z_]+?)(?:_bucket|_sum|_count)?(?:\{[a-z]+="(?:[^"\\\n]|\\.)*"(?:,[a-z]+="(?:[^"\\\n]|\\.)*")*\})? [\d.e+-]+$/;
  for (const line of body.trimEnd().split("\n")) {
    if (!line.startsWith("#")) expect(types, line).toContain(sample.exec(line)?.[1]);
  }
}

it("listens to this machine alone", async () => {
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "example.org"]) {
    const refused = serveMetrics({ listen: { tcp: { host, port: 0 } } });
    await expect(refused).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  }
  await using metrics = await serveMetrics({ listen: { tcp: { host: "127.0.0.1", port: 0 } } });
  const { host, port } = new URL(metrics.address.replace("tcp:", "http:"));
  expect((await fetchText({ host: host.split(":")[0], port, path: "/metrics" })).status).toBe(200);
  expect(callChannel.hasSubscribers).toBe(true);
});

it("publishes each call to whoever listens, with what it was about and why it failed", async () => {
  const { client } = openPlugin();
  const told: [string, TracedCall][] = [];
  const note = (event: string) => (call: TracedCall) => void told.push([event, { ...call }]);
  const events = ["start", "end", "asyncStart", "asyncEnd", "error"] as const;
  const subscribers = Object.fromEntries(events.map((event) => [event, note(event)])) as Record<
    (typeof events)[number],
    (call: TracedCall) => void
  >;
  callChannel.subscribe(subscribers);
  await client.list({});
  await client.mount({ Name: "data", ID: "c" }).catch(() => {});
  callChannel.unsubscribe(subscribers);
  await client.list({});
  expect(told.map(([event, { method }]) => `${event} ${method}`)).toEqual([
    ...["start", "end", "asyncStart", "asyncEnd"].map((event) => `${event} List`),
    ...["start", "end", "error", "asyncStart", "asyncEnd"].map((event) => `${event} Mount`),
  ]);
  expect(told.at(-1)?.[1]).toMatchObject({ subsystem: "VolumeDriver", subject: "data", code: "NOT_FOUND" });
});

/** What the examples in `examples/` do as plugins, without an engine; with one they are tested in `test/engine`. */
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { expect } from "vitest";
import { post } from "../harness/plugins/post.ts";

export interface ExampleScenario {
  readonly name: string;
  readonly program: string;
  readonly announced: string;
  /** `state` and `metrics` are the arguments after the socket; nothing is there yet. */
  run(socket: string, state: string, metrics: string): Promise<void>;
}

interface Answer {
  readonly status: number | undefined;
  readonly answer: Readonly<Record<string, unknown>>;
}

async function ask(socket: string, path: string, request: object): Promise<Answer> {
  const { status, body } = await post(socket, path, request);
  return { status, answer: body as Answer["answer"] };
}

async function keepLedger(socket: string): Promise<void> {
  const call = (method: string, request: object) => ask(socket, `/IpamDriver.${method}`, request);
  const whole = { AddressSpace: "local", Pool: "10.1.0.0/30" };
  const { answer } = await call("RequestPool", whole);
  expect(answer).toEqual({ PoolID: "local/10.1.0.0/30", Pool: "10.1.0.0/30", Data: {} });
  expect((await call("RequestPool", whole)).answer).toEqual(answer); // nobody has an address of it
  const PoolID = "local/10.1.0.0/30";
  const given = [
    call("RequestAddress", { PoolID }),
    call("RequestAddress", { PoolID }),
    call("RequestAddress", { PoolID }),
  ];
  expect((await Promise.all(given)).map(({ answer: { Address, Code } }) => Address ?? Code).toSorted()).toEqual([
    "10.1.0.1/30",
    "10.1.0.2/30",
    "RESOURCE_EXHAUSTED",
  ]);
  expect((await call("RequestPool", whole)).answer).toMatchObject({ Code: "ALREADY_EXISTS" });
  expect((await call("ReleaseAddress", { PoolID, Address: "10.1.0.1" })).status).toBe(200);
  expect((await call("RequestAddress", { PoolID })).answer).toEqual({ Address: "10.1.0.1/30", Data: {} });
  for (const Pool of ["10.1.0.0/33", "10.1", "fd00::/64"])
    expect((await call("RequestPool", { ...whole, Pool })).answer).toMatchObject({ Code: "INVALID_ARGUMENT" });
  expect((await call("RequestAddress", { PoolID, Address: "10.2.0.1" })).answer["Code"]).toBe("INVALID_ARGUMENT");
}

async function giveSecrets(socket: string, state: string): Promise<void> {
  mkdirSync(state);
  writeFileSync(`${state}/password`, "correct horse");
  const get = (SecretName: string, secrets: string) =>
    ask(socket, "/SecretProvider.GetSecret", { SecretName, ServiceName: "web", ServiceLabels: { secrets } });
  const Value = Buffer.from("correct horse").toString("base64");
  expect((await get("password", "other,password")).answer).toEqual({ Value, DoNotReuse: true });
  expect((await get("password", "other")).answer).toMatchObject({ Code: "PERMISSION_DENIED" });
  expect((await get("other", "other")).answer).toMatchObject({ Code: "NOT_FOUND" });
  expect((await get("../password", "../password")).answer).toMatchObject({ Code: "INVALID_ARGUMENT" });
}

async function collectMetrics(socket: string, state: string, metrics: string): Promise<void> {
  expect((await ask(socket, "/MetricsCollector.StartMetrics", {})).status).toBe(500); // nobody is there
  const engine = createServer((_, response) => response.end("engine_daemon_health 1\n")).listen(metrics);
  await once(engine, "listening");
  try {
    expect((await ask(socket, "/MetricsCollector.StartMetrics", {})).status).toBe(200);
    expect(readFileSync(state, "utf8")).toBe("engine_daemon_health 1\n");
    expect((await ask(socket, "/MetricsCollector.StopMetrics", {})).status).toBe(200);
  } finally {
    engine.close();
  }
}

export const exampleScenarios: readonly ExampleScenario[] = [
  { name: "ipam-driver", program: "ipam.js", announced: "IpamDriver", run: keepLedger },
  { name: "secret-provider", program: "secrets.js", announced: "secretprovider", run: giveSecrets },
  { name: "metrics-collector", program: "metrics.js", announced: "MetricsCollector", run: collectMetrics },
];

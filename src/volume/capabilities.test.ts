/** How the capabilities of plugins are asked for, kept, and read. */
import { expect, it } from "vitest";
import type { Transport } from "../transport/index.ts";
import { createVolumeDriverFromPlugin } from "./index.ts";
import { type Answers, answering, manifest, openAnswering, withResolvers } from "./memory-volumes.test.support.ts";

const capabilitiesOf = (body: string): Answers => ({ "/VolumeDriver.Capabilities": [200, body] });

it.each<[string, string, string]>([
  ["local", '{"Capabilities":{"Scope":"local"}}', "local"],
  ["global", '{"Capabilities":{"Scope":"global"}}', "global"],
  ["of another case", '{"capabilities":{"scope":"GLOBAL"}}', "global"],
  ["empty", '{"Capabilities":{"Scope":""}}', "local"],
  ["left out", "{}", "local"],
  ["null", '{"Capabilities":null}', "local"],
])("reads a scope that is %s", async (_what, body, scope) => {
  const { driver, lines } = await openAnswering(capabilitiesOf(body));
  expect(await driver.capabilities()).toEqual({ scope });
  expect(lines).toEqual([]);
});

it("takes an unknown scope to be local, with one warning however often it is asked", async () => {
  const { driver, lines, asked } = await openAnswering(capabilitiesOf('{"Capabilities":{"Scope":"galaxy\\u001b"}}'));
  const both = await Promise.all([driver.capabilities(), driver.capabilities()]);
  expect([...both, await driver.capabilities()]).toEqual([{ scope: "local" }, { scope: "local" }, { scope: "local" }]);
  const scope = '"galaxy\\u001b"';
  expect(lines).toEqual([{ level: "warn", message: "unknown scope; taken to be local", plugin: "old", scope }]);
  expect(asked.filter((path) => path === "/VolumeDriver.Capabilities")).toHaveLength(1);
});

it("is local, and not asked again, where the plugin does not know the method", async () => {
  const { driver, lines, asked } = await openAnswering({});
  expect(await driver.capabilities()).toEqual({ scope: "local" });
  expect(await driver.capabilities()).toEqual({ scope: "local" });
  expect(lines).toEqual([]);
  expect(asked).toEqual(["/Plugin.Activate", "/VolumeDriver.Capabilities"]);
});

it("is asked for again after a failure", async () => {
  const answers = capabilitiesOf("");
  answers["/VolumeDriver.Capabilities"] = [500, '{"Err":"starting"}'];
  const { transport } = answering(Object.assign(answers, manifest));
  const driver = await createVolumeDriverFromPlugin(transport, { name: "old" });
  const both = await Promise.allSettled([driver.capabilities(), driver.capabilities()]);
  const starting = { status: "rejected", reason: { remoteMessage: "starting" } };
  expect(both).toMatchObject([starting, starting]);
  answers["/VolumeDriver.Capabilities"] = [200, '{"Capabilities":{"Scope":"global"}}'];
  expect(await driver.capabilities()).toEqual({ scope: "global" });
});

it("is waited for by each caller as long as it likes", async () => {
  const answer = withResolvers<{ status: number; body: Buffer }>();
  const { asked, transport } = answering(manifest);
  const slow: Transport = {
    ...transport,
    send: (wire) => (wire.path === "/Plugin.Activate" ? transport.send(wire) : (asked.push(wire.path), answer.promise)),
  };
  const driver = await createVolumeDriverFromPlugin(slow, { name: "old" });
  const patient = driver.capabilities();
  const giveUp = new AbortController();
  const givenUp = driver.capabilities({ signal: giveUp.signal });
  giveUp.abort(new Error("no more"));
  await expect(givenUp).rejects.toMatchObject({ code: "CANCELLED" });
  await expect(driver.capabilities({ timeoutMs: 1 })).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  await expect(driver.capabilities({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "CANCELLED" });
  answer.resolve({ status: 200, body: Buffer.from('{"Capabilities":{"Scope":"global"}}') });
  expect(await patient).toEqual({ scope: "global" });
  expect(asked).toEqual(["/Plugin.Activate", "/VolumeDriver.Capabilities"]);
});

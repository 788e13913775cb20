/** Plugins that Cleat did not write. What it did write is tested in as-plugin.test.ts. */
import { expect, it } from "vitest";
import type { Transport } from "../../transport/index.ts";
import { createGraphDriverFromPlugin } from "./from-plugin.ts";

type Answers = Record<string, [status: number, body: string]>;

function answering(answers: Answers): Transport {
  return {
    address: "test:",
    send: async ({ path }) => {
      const [status, body] = answers[path] ?? [404, "404 page not found\n"];
      return { status, body: Buffer.from(body) };
    },
    close: async () => {},
  };
}

const old: Answers = {
  "/Plugin.Activate": [200, '{"Implements":["VolumeDriver","GraphDriver"]}\n'],
  "/GraphDriver.Init": [200, '{"Err":""}'],
};
const open = (answers: Answers) => createGraphDriverFromPlugin(answering(answers), { name: "old", home: "/x" });

it("assumes the least of a plugin without Capabilities", async () => {
  expect((await open(old)).capabilities).toEqual({
    reproducesExactDiffs: false,
    mounts: true,
    enforcesSize: false,
    protectsParents: false,
    maxDepth: 125,
  });
});

it("reads what Go leaves out as empty", async () => {
  const nothing: [number, string] = [200, "{}"];
  const driver = await open({
    ...old,
    "/GraphDriver.Capabilities": nothing,
    "/GraphDriver.Exists": nothing,
    "/GraphDriver.Status": nothing,
    "/GraphDriver.Changes": nothing,
    "/GraphDriver.DiffSize": nothing,
    "/GraphDriver.GetMetadata": [200, '{"Metadata":null}'],
  });
  expect(await driver.exists("a")).toBe(false);
  expect(await driver.status()).toEqual([]);
  expect(await driver.changes("a")).toEqual([]);
  expect(await driver.diffSize("a")).toBe(0);
  expect(await driver.metadata("a")).toEqual({});
});

it.each<[string, [number, string], string, string]>([
  ["an Err with 500", [500, '{"Err":"no space"}'], "UNKNOWN", "no space"],
  ["an Err with 200", [200, '{"Err":"no space"}'], "UNKNOWN", "no space"],
  ["plain text", [500, "no space\n"], "UNKNOWN", "no space"],
  ["nothing", [502, ""], "UNKNOWN", "no reason given"],
  ["404", [404, "404 page not found"], "UNIMPLEMENTED", "page not found"],
  ["no Dir", [200, "{}"], "DATA_LOSS", "Dir: "],
  ["no JSON", [200, "<html>"], "DATA_LOSS", "not JSON"],
])("makes an error of %s", async (_what, answer, code, text) => {
  const driver = await open({ ...old, "/GraphDriver.Get": answer });
  await expect(driver.get("a", {})).rejects.toMatchObject({ code, message: expect.stringContaining(text) });
});

it("refuses a plugin that is not a graph driver", async () => {
  await expect(open({ "/Plugin.Activate": [200, '{"Implements":["authz"]}'] })).rejects.toMatchObject({
    code: "UNIMPLEMENTED",
    message: 'plugin "old" does not implement GraphDriver: it implements authz',
  });
});

it("is asked for no snapshotter's layers, which it would mix with an engine's", async () => {
  const opening = createGraphDriverFromPlugin(answering(old), { name: "old", home: "/x", door: "snapshotter" });
  await expect(opening).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
    message: "plugin \"old\" cannot keep a snapshotter's layers: it is asked over Docker's protocol",
  });
});

it("checks ids before it sends them", async () => {
  const driver = await open(old);
  await expect(driver.get("../a", {})).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
});

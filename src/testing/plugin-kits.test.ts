/** What the kits for plugins must find: one thing wrong at a time, in a plugin that is right otherwise. */
import { expect, test } from "vitest";
import { CleatError } from "../errors/index.ts";
import { serve } from "../plugin/index.ts";
import { announcedName, protocols } from "../protocol/index.ts";
import { implement, silentLogger } from "../transport/index.ts";
import type { CheckResult } from "./check.ts";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atNight } from "../../test/night.ts";
import type { FaultyPlugin } from "./faulty-plugin.test.support.ts";
import { createFolderVolumes, serveFaulty } from "./right-volumes.test.support.ts";
import {
  authzChecks,
  ipamDriverChecks,
  layerWireChecks,
  logDriverChecks,
  metricsCollectorChecks,
  networkDriverChecks,
  secretProviderChecks,
} from "./index.ts";
import { runPluginKit, wireChecksOf } from "./protocol/kit.ts";
import { volumeDriverChecks } from "./volume/checks/index.ts";
import { runVolumeDriverKit } from "./volume/kit.ts";
import type { Fault } from "./planted-fault.test.support.ts";
import { volumeFaults } from "./volume-faults.test.support.ts";
import { wireFaults } from "./wire-faults.test.support.ts";

const wireIds = wireChecksOf(["VolumeDriver"]).map(({ id }) => id);
const volumeIds = volumeDriverChecks.map(({ id }) => id);
const failed = (results: readonly CheckResult[]) =>
  results.filter(({ outcome }) => outcome === "failed").map(({ id }) => id);

/** By day only what fails is waited for. */
const callTimeoutMs = atNight ? 2_000 : 500;

const wireKit = ({ socket }: FaultyPlugin, only?: readonly string[]) =>
  runPluginKit({
    address: { unix: socket },
    checks: wireChecksOf(["VolumeDriver"]),
    idleMs: 200,
    callTimeoutMs,
    only,
  });

const volumeKit = (plugin: FaultyPlugin, only?: readonly string[]) =>
  runVolumeDriverKit({
    address: { unix: plugin.socket },
    killAndRestart: () => plugin.restart(),
    callTimeoutMs,
    listLimitMs: 300,
    only,
  });

/** By day the checks that must fail; at night all, of which no other may. */
const runOf = ({ found, leaves }: Fault) => (atNight && leaves !== false ? undefined : found);

test("a plugin that is right passes every check", async () => {
  await using plugin = await serveFaulty();
  const results = [...(await wireKit(plugin)), ...(await volumeKit(plugin))];
  expect(results.filter(({ outcome }) => outcome !== "passed")).toEqual([]);
  expect(results.map(({ id }) => id)).toEqual([...wireIds, ...volumeIds]);
});

/** What all tables are of, but for the one that every plugin answers. */
const tables = protocols.filter(({ name }) => name !== "Plugin");
const everything = tables.map(announcedName);

/** Each of them with methods that refuse whatever is asked for. */
test("whatever table there is, a plugin of Cleat's passes the checks that come from it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cleat-kit-"));
  const refuse = () => Promise.reject(new CleatError("NOT_FOUND", "there is no such thing"));
  const drivers = tables.map((protocol) => {
    const names = Object.keys(protocol.methods);
    return { service: implement(protocol, Object.fromEntries(names.map((name) => [name, refuse]))) };
  });
  const unix = join(folder, "all.sock");
  await using plugin = await serve({ drivers, listen: { unix }, logger: silentLogger, handleSignals: false });
  expect(plugin.address).toBe(`unix://${unix}`);
  const only = wireChecksOf(everything).flatMap(({ id }) => (id.startsWith("plugin/") ? [] : [id]));
  const results = await runPluginKit({ address: { unix }, only });
  expect(results.filter(({ outcome }) => outcome !== "passed")).toEqual([]);
  expect(new Set(results.map(({ id }) => id.split("/")[0]))).toEqual(new Set(tables.map(({ name }) => name)));
  await rm(folder, { recursive: true });
});

test("every check says where it comes from and what users see", () => {
  for (const { id, title, source, symptom } of [...wireChecksOf(everything), ...volumeDriverChecks]) {
    expect(title, id).toMatch(/^\S.*[^.]$/);
    expect(source, id).toMatch(/\w/);
    expect(symptom, id).toMatch(/\.$/);
  }
});

test("ids are unique over all kits, so that one can be named", () => {
  const ids = [
    ...wireChecksOf(everything),
    ...[volumeDriverChecks, networkDriverChecks, ipamDriverChecks, authzChecks, logDriverChecks].flat(),
    ...[secretProviderChecks, metricsCollectorChecks, layerWireChecks].flat(),
  ].map(({ id }) => id);
  expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
});

test("each check finds a fault", () => {
  const found = new Set([...wireFaults, ...volumeFaults].flatMap(({ found: ids }) => ids));
  expect([...wireIds, ...volumeIds].filter((id) => !found.has(id))).toEqual([]);
});

test.each(wireFaults)("the generic kit finds it when $title", async (fault) => {
  await using plugin = await serveFaulty(fault.wrongs);
  expect(failed(await wireKit(plugin, runOf(fault)))).toEqual(fault.found);
});

test.each(volumeFaults)("the kit for volumes finds it when $title", async (fault) => {
  await using plugin = await serveFaulty(fault.wrongs, fault.isForgetful);
  expect(failed(await volumeKit(plugin, runOf(fault)))).toEqual(fault.found);
});

test.each(["never", "endless"] as const)(
  "an answer that is %s costs each check its time, and no more",
  async (wrong) => {
    await using plugin = await serveFaulty({ answer: () => wrong });
    const only = ["plugin/activate-docker-20.10", "VolumeDriver/empty-body"];
    const checks = wireChecksOf(["VolumeDriver"]);
    const results = await runPluginKit({ address: { unix: plugin.socket }, checks, only, callTimeoutMs: 300 });
    expect(results.map(({ error }) => String(error))).toEqual(
      only.map(() => expect.stringMatching(/no whole answer within 300 ms|is over 16777216 bytes/)),
    );
  },
);

test("a driver in this process is checked without a wire", async () => {
  const root = await mkdtemp(join(tmpdir(), "cleat-kit-"));
  const results = await runVolumeDriverKit({ open: async () => createFolderVolumes(root) });
  await rm(root, { recursive: true });
  const outcomes = results.map(
    ({ id, outcome }) => `${/^(wire|engine|restart)/.test(id) ? "wire" : "driver"} ${outcome}`,
  );
  expect([...new Set(outcomes)]).toEqual(["driver passed", "wire skipped"]);
});

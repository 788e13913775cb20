/** What the kits for plugins must find: one thing wrong at a time, in a plugin that is right otherwise. */
import { expect, test } from "vitest";
import type { CheckResult } from "./check.ts";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atNight } from "../../test/night.ts";
import { createFolderVolumes, type FaultyPlugin, serveFaulty } from "./faulty-plugin.test.support.ts";
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

test("every check says where it comes from and what users see", () => {
  for (const { id, title, source, symptom } of [
    ...wireChecksOf(["VolumeDriver", "GraphDriver"]),
    ...volumeDriverChecks,
  ]) {
    expect(title, id).toMatch(/^\S.*[^.]$/);
    expect(source, id).toMatch(/\w/);
    expect(symptom, id).toMatch(/\.$/);
  }
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

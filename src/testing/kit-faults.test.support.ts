/** The tests that every kit for drivers has: what is right passes, and each check finds a fault that was planted. */
import { expect, test } from "vitest";
import { atNight } from "../../test/night.ts";
import type { Check, CheckResult } from "./check.ts";
import { type RightPlugin, serveFaultyPlugin } from "./faulty-plugin.test.support.ts";
import type { Fault } from "./planted-fault.test.support.ts";

export interface KitUnderTest<Driver extends object, Store> {
  readonly right: RightPlugin<Driver, Store>;
  readonly checks: readonly Omit<Check<never>, "run" | "needs">[];
  readonly faults: readonly Fault<Driver>[];
  run(options: {
    readonly address: { readonly unix: string };
    readonly callTimeoutMs: number;
    readonly killAndRestart: () => Promise<void>;
    readonly only?: readonly string[] | undefined;
  }): Promise<readonly CheckResult[]>;
}

/** By day only what fails is waited for. */
const callTimeoutMs = atNight ? 2_000 : 500;

export function describeKit<Driver extends object, Store>(kit: KitUnderTest<Driver, Store>): void {
  const { right, checks, faults } = kit;
  const ids = checks.map(({ id }) => id);

  const runOn = async (fault: Partial<Fault<Driver>>, patienceMs: number, only?: readonly string[]) => {
    await using plugin = await serveFaultyPlugin(right, fault.wrongs, fault.isForgetful);
    const killAndRestart = () => plugin.restart();
    return await kit.run({ address: { unix: plugin.socket }, callTimeoutMs: patienceMs, killAndRestart, only });
  };

  test("a plugin that is right passes every check", async () => {
    const results = await runOn({}, 5_000);
    expect(results.filter(({ outcome }) => outcome !== "passed")).toEqual([]);
    expect(results.map(({ id }) => id)).toEqual(ids);
  });

  test("every check says where it comes from and what users see", () => {
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, title, source, symptom } of checks) {
      expect(title, id).toMatch(/^\S.*[^.]$/);
      expect(source, id).toMatch(/\w/);
      expect(symptom, id).toMatch(/\.$/);
    }
  });

  test("each check finds a fault", () => {
    const found = new Set(faults.flatMap((fault) => fault.found));
    expect(ids.filter((id) => !found.has(id))).toEqual([]);
  });

  /** By day the checks that must fail; at night all, of which no other may. */
  test.each(faults)("finds it when $title", async (fault) => {
    const only = atNight && fault.leaves !== false ? undefined : fault.found;
    const results = await runOn(fault, callTimeoutMs, only);
    expect(results.filter(({ outcome }) => outcome === "failed").map(({ id }) => id)).toEqual(fault.found);
  });
}

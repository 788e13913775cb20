import { toCleatError } from "../../errors/index.ts";
import type { Damage, StoreFinding } from "../finding.ts";
import type { RepairReport } from "../store-jobs.ts";

/**
 * Mending one thing may uncover another, as a layer that goes leaves its link; more than a few rounds go in circles.
 */
const maxRounds = 8;

/**
 * Mends damage until a look finds none that can be mended. What is found again although it was mended, or fails to be,
 * counts as left.
 */
export function mendStore(home: string, findDamage: (home: string) => readonly Damage[]): RepairReport {
  const repaired = new Map<string, StoreFinding>();
  const failures = new Map<string, string>();
  let damages = findDamage(home);
  for (let round = 0; round < maxRounds; round++) {
    const pending = damages.filter(({ finding, mend }) => mend !== undefined && !failures.has(keyOf(finding)));
    if (pending.length === 0) break;
    for (const { finding, mend } of pending) {
      try {
        mend?.();
        repaired.set(keyOf(finding), finding);
      } catch (error) {
        failures.set(keyOf(finding), toCleatError(error).message);
      }
    }
    damages = findDamage(home);
  }
  const left = damages.map(({ finding }) => {
    repaired.delete(keyOf(finding));
    return { ...finding, obstacle: finding.obstacle ?? failures.get(keyOf(finding)) ?? "it came back" };
  });
  return { repaired: [...repaired.values()], left };
}

function keyOf({ kind, path }: StoreFinding): string {
  return `${kind} ${path}`;
}

/** One line of the result: Cleat beside what it is compared with, and the limit that the project sets itself. */
export interface Measurement {
  readonly name: string;
  readonly unit: "µs" | "ms" | "MiB" | "MiB/s" | "calls/s";
  readonly cleat: number;
  /** Undefined where there is nothing to compare with. */
  readonly reference: { readonly name: string; readonly value: number } | undefined;
  /** One that is exceeded fails the run. */
  readonly limit?: Limit | undefined;
  /** The ratio that is aimed at. A run says where it is not reached, and does not fail. */
  readonly goal?: number | undefined;
}

/** What is set for a row. */
export type Aim = Pick<Measurement, "limit" | "goal">;

export type Limit = { readonly maxRatio: number } | { readonly max: number };

export async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function ratioOf({ cleat, reference }: Measurement): number | undefined {
  return reference && cleat / reference.value;
}

export function isOverLimit(measurement: Measurement): boolean {
  const { cleat, limit } = measurement;
  if (limit === undefined) return false;
  return "max" in limit ? cleat > limit.max : (ratioOf(measurement) ?? 0) > limit.maxRatio;
}

/** Whether a larger figure is the better one. */
export function isRate({ unit }: Measurement): boolean {
  return unit === "MiB/s" || unit === "calls/s";
}

/** Whether what is aimed at is not reached. */
export function misses(measurement: Measurement): boolean {
  const [ratio, { goal }] = [ratioOf(measurement), measurement];
  return ratio !== undefined && goal !== undefined && ratio > goal;
}

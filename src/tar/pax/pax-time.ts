/** A time as `TarHeader` keeps it: the nanoseconds count upwards also from negative seconds. */
export interface PaxTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

const pattern = /^(-?)(\d{1,16})(?:\.(\d*))?$/;
const second = 1_000_000_000;

/** Reads "-1.5" as two seconds before the epoch and half of one after; digits beyond nanoseconds are cut, as in Go. */
export function parsePaxTime(text: string): PaxTime | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const whole = Number(match[2]);
  if (!Number.isSafeInteger(whole)) return undefined;
  const nanoseconds = Number((match[3] ?? "").slice(0, 9).padEnd(9, "0"));
  if (match[1] === "") return { seconds: whole, nanoseconds };
  if (nanoseconds === 0) return { seconds: 0 - whole, nanoseconds: 0 };
  return { seconds: -whole - 1, nanoseconds: second - nanoseconds };
}

export function formatPaxTime({ seconds, nanoseconds }: PaxTime): string {
  if (nanoseconds === 0) return String(seconds);
  const [sign, whole, fraction] =
    seconds < 0 ? ["-", -(seconds + 1), second - nanoseconds] : ["", seconds, nanoseconds];
  return `${sign}${whole}.${String(fraction).padStart(9, "0").replace(/0+$/, "")}`;
}

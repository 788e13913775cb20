/** The header `grpc-timeout`. Source: gRPC `doc/PROTOCOL-HTTP2.md`, "Timeout": at most eight digits and a unit. */
const msByUnit: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** Milliseconds, rounded up; `undefined` for what is not a timeout. */
export function parseTimeout(header: string): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(header) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  return Math.ceil(Number(digits) * (msByUnit[unit] as number));
}

export function formatTimeout(timeoutMs: number): string {
  const ms = Math.max(0, Math.ceil(timeoutMs));
  if (ms < 1e8) return `${ms}m`;
  return ms < 1e11 ? `${Math.ceil(ms / 1_000)}S` : `${Math.min(99_999_999, Math.ceil(ms / 3_600_000))}H`;
}

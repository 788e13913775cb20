/**
 * Times as volume plugins send them: RFC 3339, as Go writes a `time.Time`. Go's zero time stands for "unknown".
 *
 * Source: go1.19 `time/format.go`, `RFC3339Nano`; moby v20.10.24 `volume/drivers/adapter.go`, `CreatedAt`.
 */

const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;
const goZeroMs = Date.parse("0001-01-01T00:00:00Z");

/**
 * `undefined` for the zero time, and for what is not a time: a volume is of use without. What is below 1 ms is dropped.
 */
export function fromWireTime(text: string | undefined): Date | undefined {
  if (text === undefined || !rfc3339.test(text)) return undefined;
  const time = new Date(text);
  return Number.isNaN(time.getTime()) || time.getTime() === goZeroMs ? undefined : time;
}

/** `undefined` for what Go cannot read: it would refuse the whole list of volumes for the sake of one. */
export function toWireTime(time: Date | undefined): string | undefined {
  const year = time?.getUTCFullYear() ?? Number.NaN;
  return year >= 0 && year <= 9999 ? time?.toISOString() : undefined;
}

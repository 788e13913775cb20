/**
 * What `npm test` leaves out, to end in time, and `npm run nightly -- --tests` runs: pairs of drivers, file systems and
 * doors that other pairs nearly prove, other people's drivers as the tests' own proof, and what needs a virtual
 * machine.
 */
export const atNight = process.env["CLEAT_NIGHT"] !== undefined;

/**
 * When a test of real kernels and engines hangs. None takes a quarter of this on two idle processors: others are slow,
 * and do other things, too. At night a test does many times as much.
 */
export const rowTimeoutMs = atNight ? 3_600_000 : 600_000;

/** The rows of the day or, at night, the others. */
export function byDayOrNight<Row>(day: readonly Row[], night: readonly Row[]): readonly Row[] {
  return atNight ? night : day;
}

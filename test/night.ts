/**
 * What `npm test` leaves out, to end in time, and `npm run nightly -- --tests` runs: pairs of drivers, file systems and
 * doors that other pairs nearly prove, other people's drivers as the tests' own proof, and what needs a virtual
 * machine.
 */
export const atNight = process.env["CLEAT_NIGHT"] !== undefined;

/** The rows of the day or, at night, the others. */
export function byDayOrNight<Row>(day: readonly Row[], night: readonly Row[]): readonly Row[] {
  return atNight ? night : day;
}

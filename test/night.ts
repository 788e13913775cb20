/**
 * What `npm test` leaves out, to end in time, and `npm run nightly -- --tests` runs: pairs of drivers, file systems and
 * doors that other pairs nearly prove, other people's drivers as the tests' own proof, and what needs a virtual
 * machine.
 */
export const atNight = process.env["CLEAT_NIGHT"] !== undefined;

/** How long a row of scenarios may take: nights have more to do at once, on machines that do other things, too. */
export const rowTimeoutMs = atNight ? 900_000 : 180_000;

/** The rows of the day or, at night, the others. */
export function byDayOrNight<Row>(day: readonly Row[], night: readonly Row[]): readonly Row[] {
  return atNight ? night : day;
}

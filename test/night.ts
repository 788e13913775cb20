/**
 * What `npm test` leaves out, to end within a coffee, and `npm run nightly -- --tests` runs instead of it: pairs of drivers, file
 * systems and doors that other pairs nearly prove, Docker's own drivers as the tests' own proof, and Docker in a virtual machine.
 */
export const atNight = process.env["CLEAT_NIGHT"] !== undefined;

/** The rows of the day or, at night, the others. */
export function byDayOrNight<Row>(day: readonly Row[], night: readonly Row[]): readonly Row[] {
  return atNight ? night : day;
}

/** Volume drivers: the contract (`driver.ts` is the manual), and both ends of Docker's protocol for them. */
export type * from "./driver.ts";

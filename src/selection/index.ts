/** Which driver a folder gets, and why. */
export { assertDriverWorks } from "./assert-driver-works.ts";
export { createAutomaticDriver } from "./automatic-driver.ts";
export { type Candidate, decideDriver, type DriverDecision, type StorePlace } from "./decision.ts";
export { diagnose, type Diagnosis, type DriverFindings } from "./diagnosis.ts";
export { type GraphDriverPlugins, openDriver, type OpenDriverOptions } from "./open-driver.ts";
export type { PrivilegeFindings } from "./privilege-findings.ts";
export { builtInFactories, createDriverRegistry, type DriverRegistry } from "./registry.ts";

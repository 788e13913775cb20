import type { AuthzCheck } from "../context.ts";
import { closedChecks } from "./closed.ts";
import { decisionChecks } from "./decisions.ts";

/** What engines ask, and that nobody gets round the policy. */
export const authzChecks: readonly AuthzCheck[] = [...decisionChecks, ...closedChecks];

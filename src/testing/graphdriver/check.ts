import type { Check } from "../check.ts";
import type { GraphDriverContext } from "./context.ts";

/** One promise of the graph driver contract. */
export type GraphDriverCheck = Check<GraphDriverContext>;

import { describeWith, needs } from "../../needs.ts";
import { defineBreakouts } from "./suite.ts";

describeWith([needs.root], "an archive that tries to break out, where the kernel confines names", defineBreakouts);

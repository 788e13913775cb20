import type { GraphDriverCheck } from "../../check.ts";
import { attributeCalls, callTrials, nameCalls, pairCalls, pairTrials } from "../../union/calls.ts";
import { accesses, openTrials } from "../../union/opens.ts";
import { stories } from "../../union/stories.ts";
import { kinds, targets } from "../../union/targets.ts";
import { assertUnion } from "../../union/trial.ts";

const source = "unionmount-testsuite (github.com/amir73il)";

/** What a process in a container sees: never anything but a folder. */
export const unionChecks: readonly GraphDriverCheck[] = [
  ...keysOf(accesses).map((access): GraphDriverCheck => ({
    id: `union/open-${access.slice("O_".length).toLowerCase()}`,
    title: `${access} with every combination of further flags opens, makes and empties what it would in a folder`,
    source,
    run: (context) => assertUnion(context, openTrials(access, kinds)),
  })),
  {
    id: "union/names",
    title: "files and folders are made and removed as in a folder",
    source,
    run: (context) => assertUnion(context, callTrials(nameCalls, targets)),
  },
  {
    id: "union/attributes",
    title: "modes, owners, times, sizes and attributes are set and read as in a folder",
    source,
    run: (context) => assertUnion(context, callTrials(attributeCalls, targets)),
  },
  ...keysOf(pairCalls).map((call): GraphDriverCheck => ({
    id: `union/${call}`,
    title: `${call} of anything to anything does what it does in a folder`,
    source,
    run: (context) => assertUnion(context, pairTrials(call, kinds)),
  })),
  {
    id: "union/stories",
    title: "what is open, mapped into memory or run is that of a folder, whatever happens to its name",
    source,
    run: (context) => assertUnion(context, stories),
  },
];

function keysOf<Key extends string>(table: Readonly<Record<Key, unknown>>): Key[] {
  return Object.keys(table) as Key[];
}

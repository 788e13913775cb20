/** What runs on arm64: what system calls, their structs and their flags could break. */

/** Drivers, and the checks of the kit that each passes, by their group: none that only takes long. */
export const drivers = {
  overlay2: [
    "life",
    "list",
    "mount",
    "spec",
    "usage",
    "apply",
    "attributes",
    "access",
    "whiteout",
    "changes",
    "diff",
    "getter",
    "idmap",
    "breakout",
    "restart",
  ],
  vfs: ["attributes", "while-undone", "restart"],
};

/** Beside the kit, by the names of their functions in `scenarios.mjs`. */
export const scenarioTitles = {
  processor: "the processor is an arm64, and flags are those of its kernel",
  state: "state is there after it was opened anew",
  socket: "a driver that is called through a socket knows who calls",
};

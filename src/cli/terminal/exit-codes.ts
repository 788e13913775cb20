/** What `cleat` ends with; shown by `cleat --help`. */
export const exitCodes = {
  done: { code: 0, meaning: "done" },
  failed: { code: 1, meaning: "failed; the reason is on stderr" },
  usage: { code: 2, meaning: "the command line is wrong; nothing was done" },
  unreachable: { code: 3, meaning: "the plugin is not there, does not answer, or may not be called by this user" },
  refused: { code: 4, meaning: "the plugin answered with a failure" },
  findings: {
    code: 5,
    meaning: "something is wrong with a store, a plugin, or how an engine is configured; it is on stdout",
  },
} as const satisfies Record<string, { code: number; meaning: string }>;

export type Outcome = keyof typeof exitCodes;

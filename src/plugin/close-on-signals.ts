import { constants } from "node:os";
import type { RunningPlugin } from "./serve.ts";

export interface CloseOnSignalsOptions {
  /** Default SIGTERM, SIGINT and SIGHUP, which a terminal sends when it is closed. */
  readonly signals?: readonly NodeJS.Signals[];
  /** Called once, when the first signal has come. */
  readonly onSignal?: (signal: NodeJS.Signals) => void;
  /**
   * How long after the first a further signal counts as the same one, in milliseconds; default 500. One Ctrl-C reaches a
   * process under `npm start` twice: from the terminal, and passed on by npm.
   */
  readonly sameSignalMs?: number;
  /** Called on a second one; default ends the process with 128 + the signal's number, as a shell reports it. */
  readonly onSecondSignal?: (signal: NodeJS.Signals) => void;
}

/**
 * Waits for a signal and closes the plugin. Resolves when it is closed; a second signal while that lasts ends the
 * process at once. Rejects as `plugin.close` does.
 */
export function closeOnSignals(plugin: RunningPlugin, options: CloseOnSignalsOptions = {}): Promise<void> {
  const {
    signals = ["SIGTERM", "SIGINT", "SIGHUP"],
    onSignal,
    sameSignalMs = 500,
    onSecondSignal = exitAtOnce,
  } = options;
  return new Promise((resolve, reject) => {
    let closingSince: number | undefined;
    const listener = (signal: NodeJS.Signals) => {
      if (closingSince !== undefined) {
        if (performance.now() - closingSince >= sameSignalMs) onSecondSignal(signal);
        return;
      }
      closingSince = performance.now();
      onSignal?.(signal);
      plugin
        .close()
        .finally(() => {
          for (const name of signals) process.off(name, listener);
        })
        .then(resolve, reject);
    };
    for (const name of signals) process.on(name, listener);
  });
}

function exitAtOnce(signal: NodeJS.Signals): void {
  process.exit(128 + constants.signals[signal]);
}

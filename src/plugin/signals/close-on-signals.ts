import { endAtOnce, followSignals } from "./follow-signals.ts";

export interface CloseOnSignalsOptions {
  /** Default SIGTERM, SIGINT and SIGHUP, which a terminal sends when it is closed. */
  readonly signals?: readonly NodeJS.Signals[];
  /** Called once, when the first signal has come. */
  readonly onSignal?: (signal: NodeJS.Signals) => void;
  /**
   * How long after the first a further signal counts as the same one, in milliseconds; default 500. One Ctrl-C reaches
   * a process under `npm start` twice: from the terminal, and passed on by npm.
   */
  readonly sameSignalMs?: number;
  /** Called on a second one; default ends the process with 128 + the signal's number, as a shell reports it. */
  readonly onSecondSignal?: (signal: NodeJS.Signals) => void;
  /** Closes the plugin, too, where no signal of the process has come. */
  readonly signal?: AbortSignal;
}

/**
 * Waits for a signal and closes the plugin, or whatever else is served. Resolves when it is closed; a second signal
 * while that lasts ends the process at once. Rejects as `plugin.close` does. `serve` closes its plugin on signals by
 * itself: this is for who has something to do afterwards.
 */
export function closeOnSignals(plugin: { close(): Promise<void> }, options: CloseOnSignalsOptions = {}): Promise<void> {
  const { signals, onSignal, sameSignalMs, onSecondSignal = endAtOnce, signal: abort } = options;
  return new Promise((resolve, reject) => {
    let isClosing = false;
    const close = () => {
      if (isClosing) return;
      isClosing = true;
      plugin.close().finally(unfollow).then(resolve, reject);
    };
    const unfollow = followSignals({
      signals,
      sameSignalMs,
      onFirst(signal) {
        onSignal?.(signal);
        close();
      },
      onSecond: onSecondSignal,
    });
    if (abort?.aborted) close();
    else abort?.addEventListener("abort", close, { once: true });
  });
}

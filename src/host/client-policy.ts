/** How patient an engine is with a plugin. Every time is in milliseconds. */
export interface ClientPolicy {
  /** Instead of each method's own deadline. */
  readonly timeoutMs?: number | undefined;
  /** By path, "/VolumeDriver.Mount"; before `timeoutMs`. A call's own `timeoutMs` comes before both. */
  readonly methodTimeoutsMs?: Readonly<Record<string, number>> | undefined;
  /**
   * How long, in all, a call that reached nobody is tried again, after 1, 2, 4, 8, 16, 30, 30 … s; default 30 s, 0 for
   * not at all. It ends where the next pause would pass that limit, and at the call's deadline. A call that may have
   * reached the plugin is never sent again.
   * Source: moby v20.10.24 `pkg/plugins/client.go`, `backoff` and `abort`.
   */
  readonly retryLimitMs?: number | undefined;
  /** Cap for JSON answers in bytes; default 64 MiB. */
  readonly maxReplyBytes?: number | undefined;
  readonly breaker?: BreakerPolicy | undefined;
}

/** When a plugin that fails is left alone. */
export interface BreakerPolicy {
  /** How many calls in a row must get no answer; default 3. */
  readonly failures?: number | undefined;
  /** For how long it is left alone then; default 10 s, doubled each time it fails again, up to 5 min. */
  readonly pauseMs?: number | undefined;
  /** A call that was given less time than this says nothing about the plugin; default 1 s. */
  readonly minSilenceMs?: number | undefined;
}

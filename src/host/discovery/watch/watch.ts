import type { Locations } from "../../../transport/index.ts";
import { createFolderWatchers, type FolderWatchersOptions } from "./folder-watchers.ts";
import type { PluginChange } from "../look-up/found-plugin.ts";
import { joinRuns } from "./joined-runs.ts";
import { scanWatched } from "./scan-watched.ts";
import { createUntoldChanges } from "./untold-changes.ts";

export interface WatchOptions extends Pick<FolderWatchersOptions, "onUnreadable" | "watchFolder"> {
  readonly signal?: AbortSignal | undefined;
}

/** Whoever makes a socket or writes a spec file does so in several steps; mostly they are done by then. */
const joinMs = 20;

type Result = IteratorResult<PluginChange, undefined>;

interface Reader {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One iteration of `Discovery.watch`, which begins with the first `next`. Events only say when to look: what is told is
 * the difference between what was told and what is there. No generator, because the `return` of one waits for its
 * `next`.
 */
export function watchPlugins(locations: Locations, options: WatchOptions): AsyncIterator<PluginChange, undefined> {
  const { signal, onUnreadable } = options;
  const untold = createUntoldChanges();
  const readers: Reader[] = [];
  let state: "new" | "on" | "over" = "new";
  let failure: { readonly error: unknown } | undefined;

  const looks = joinRuns(async () => {
    try {
      const { plugins, settled } = await scanWatched(locations, watchers, onUnreadable);
      if (state === "over") return;
      untold.update(plugins);
      if (!settled) looks.runSoon();
      answerReaders();
    } catch (error) {
      if (state === "on") failure = { error };
      end();
    }
  }, joinMs);
  const watchers = createFolderWatchers({ ...options, onEvent: looks.runSoon });

  const begin = () => {
    state = "on";
    signal?.addEventListener("abort", end);
    if (signal?.aborted === true) end();
    else looks.runNow();
  };

  const end = () => {
    state = "over";
    looks.stop();
    watchers.close();
    signal?.removeEventListener("abort", end);
    answerReaders();
  };

  /** In the order of their asking, as long as there is an answer. */
  const answerReaders = () => {
    for (let reader = readers[0]; reader !== undefined; reader = readers[0]) {
      const change = state === "on" ? untold.take() : undefined;
      if (change === undefined && state === "on") return;
      readers.shift();
      if (change !== undefined) reader.resolve({ done: false, value: change });
      else if (failure === undefined) reader.resolve({ done: true, value: undefined });
      else reader.reject(failure.error);
      if (state === "over") failure = undefined;
    }
  };

  return {
    next() {
      if (state === "new") begin();
      return new Promise((resolve, reject) => {
        readers.push({ resolve, reject });
        answerReaders();
      });
    },
    async return() {
      failure = undefined;
      end();
      return { done: true, value: undefined };
    },
  };
}

/** A log plugin that does everything right, and keeps logs in memory. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  createLogDriverPlugin,
  createLogFeed,
  type LogDriver,
  type LogEntry,
  type LogFeed,
  selectEntries,
} from "../../logdriver/index.ts";
import { CleatError } from "../../errors/index.ts";
import { silentLogger } from "../../transport/index.ts";
import type { RightPlugin } from "../faulty-plugin.test.support.ts";

export interface LogStore {
  readonly kept: Map<string, LogEntry[]>;
  /** Of the folder in which the plugin keeps which pipes it reads. */
  readonly name: string;
}

let stores = 0;
const createStore = (): LogStore => ({ kept: new Map(), name: `store-${stores++}` });

interface Story {
  readonly feed: LogFeed;
  writers: number;
}

export function createMemoryLogs({ kept }: LogStore = createStore()): LogDriver {
  const stories = new Map<string, Story>();
  return {
    name: "memory",
    async openLog({ id, options }) {
      const [unknown] = Object.keys(options);
      if (unknown !== undefined) throw new CleatError("INVALID_ARGUMENT", `unknown log option "${unknown}"`);
      const story = stories.get(id) ?? { feed: createLogFeed(), writers: 0 };
      stories.set(id, story);
      story.writers++;
      let isClosed = false;
      return {
        async write(added) {
          kept.set(id, [...(kept.get(id) ?? []), ...added]);
          story.feed.publish(added);
        },
        async close() {
          if (isClosed) return;
          isClosed = true;
          if (--story.writers > 0) return;
          story.feed.end();
          stories.delete(id);
        },
      };
    },
    async *readLogs({ id }, options, call) {
      const live = options.follow === true ? stories.get(id)?.feed.follow(call?.signal) : undefined;
      yield* selectEntries([...(kept.get(id) ?? [])], options);
      if (live !== undefined) yield* live;
    },
    close: async () => {},
  };
}

export const rightLogs: RightPlugin<LogDriver, LogStore> = {
  implements: "LogDriver",
  createStore,
  open: (_, store) => Object.assign(createMemoryLogs(store), { storeName: store.name }),
  serve(driver, root) {
    mkdirSync(root, { recursive: true });
    const stateFolder = join(root, (driver as LogDriver & { storeName: string }).storeName);
    const plugin = createLogDriverPlugin({ driver, stateFolder, logger: silentLogger });
    plugin.onListening();
    return { service: plugin.service, kill: () => plugin.close() };
  },
};

import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "../../transport/index.ts";
import type { SnapshotRecord } from "../records/record.ts";

/** Takes away the places of removed snapshots when engines ask for nothing else: deleting keeps the disk busy. */
export interface RemoveBehind {
  /** Its record is gone, durably. Behind all that were removed before, so that children go before their parents. */
  later(removed: Removed): void;
  /** Runs `call`, which an engine waits for, and which removals wait for, though not for long. */
  before<T>(call: () => Promise<T>): Promise<T>;
  /** Takes them all away now. */
  settled(): Promise<void>;
  /** Begins no more: the next to open it sweeps. */
  stop(): void;
}

type Removed = Pick<SnapshotRecord, "id" | "name">;

/** For as long nobody must have asked for anything. */
const quietMs = 30;
/** How long one waits for that at most; and how many wait, before none does. */
const patienceMs = 500;
const maxPatient = 1_000;

export function removeBehind(remove: (id: number) => Promise<void>, logger: Logger): RemoveBehind {
  const waiting: Removed[] = [];
  let asking = 0;
  let askedMs = 0;
  let hurried = 0;
  let isStopped = false;
  let working: Promise<void> | undefined;
  let pausing = new AbortController();

  const isQuiet = () => asking === 0 && performance.now() - askedMs >= quietMs;
  const mayGoOn = () => isQuiet() || isStopped || hurried > 0 || waiting.length >= maxPatient;
  const untilQuiet = async () => {
    const untilMs = performance.now() + patienceMs;
    const { signal } = pausing;
    while (!mayGoOn() && performance.now() < untilMs) {
      await pause(quietMs, undefined, { ref: false, signal }).catch(() => {}); // it may only be cut short
    }
  };
  /** Its timer keeps no process running: whoever waits for the work would be left when nothing else goes on. */
  const endPause = () => {
    pausing.abort();
    pausing = new AbortController();
  };
  const work = async () => {
    while (waiting.length > 0) {
      await untilQuiet();
      const next = isStopped ? undefined : waiting.shift();
      if (next === undefined) break;
      const { id, name } = next;
      await remove(id).catch((error: unknown) => {
        if (isStopped) return;
        logger.warn({ err: error, id, snapshot: name }, "files of a removed snapshot are left for the next clean-up");
      });
    }
    working = undefined;
  };

  return {
    later({ id, name }) {
      if (isStopped) return;
      waiting.push({ id, name });
      working ??= work();
    },
    async before(call) {
      asking++;
      try {
        return await call();
      } finally {
        asking--;
        askedMs = performance.now();
      }
    },
    async settled() {
      hurried++;
      endPause();
      await working;
      hurried--;
    },
    stop() {
      isStopped = true;
      endPause();
    },
  };
}

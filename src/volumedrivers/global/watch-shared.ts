import { toCleatError } from "../../errors/index.ts";
import { createDeadline, type Logger } from "../../transport/index.ts";
import type { HostClaim, HostPresence } from "./host-presence.ts";
import type { OwnPart } from "./own-part.ts";
import { repeat, type Repetition } from "./repeat.ts";
import { giveBack, type InTurn } from "./shared-calls.ts";
import type { SharedRecords } from "./shared-records.ts";

export interface SharedWatchParts {
  readonly own: OwnPart;
  readonly records: SharedRecords;
  readonly presence: HostPresence;
  /** Volumes that are mounted here and are another's now, with the reason. */
  readonly fenced: Map<string, string>;
  readonly confirmed: Set<string>;
  readonly inTurn: InTurn;
  readonly lookMs: number;
  readonly logger: Logger;
}

/** What a look waits for a volume that is busy: it comes again. */
const patienceMs = 2_000;
/** How soon it comes again when something is not settled, and then ever more rarely. */
const againMs = 1_000;

/**
 * Looks now and then whether etcd and this host agree: tells etcd what it was not told while it did not
 * answer, and notices what others were told of this host meanwhile. The kernel and the records of this host
 * say what is mounted here.
 */
export function watchShared({
  own,
  records,
  presence,
  fenced,
  confirmed,
  inTurn,
  lookMs,
  logger,
}: SharedWatchParts): Repetition {
  const fence = (name: string, reason: string) => {
    fenced.set(name, reason);
    confirmed.delete(name);
    logger.error({ volume: name, reason }, "volume is mounted here, and was given to another");
  };
  const settle = async (name: string, isUsed: boolean, claim: HostClaim): Promise<boolean> => {
    if (await own.isFree(name)) {
      fenced.delete(name);
      if (isUsed) await giveBack(name, { own, records, presence, confirmed });
      return true;
    }
    if (isUsed) {
      confirmed.add(name);
      fenced.delete(name);
      return own.isMounted(name); // what may be is looked after again soon
    }
    try {
      const volume = await records.use(name, claim);
      if (await own.isAnother(name, volume)) {
        await records.giveBack(name, claim);
        fence(name, `volume "${name}" was removed, and another has its name`);
      } else {
        confirmed.add(name);
        fenced.delete(name);
      }
    } catch (error) {
      const { code, message } = toCleatError(error);
      if (code !== "FAILED_PRECONDITION" && code !== "NOT_FOUND") throw error;
      fence(name, message);
    }
    return own.isMounted(name);
  };
  const removeGone = async (name: string): Promise<boolean> => {
    if ((await own.isFree(name)) && (await records.find(name)) === undefined) await own.remove(name);
    return true;
  };
  /** What was logged of volumes, once. */
  const told = new Map<string, string>();
  /** What one volume cannot holds no other up; resolves to whether everything is settled. */
  const each = async (names: Iterable<string>, signal: AbortSignal, work: (name: string) => Promise<boolean>) => {
    let isSettled = true;
    for (const name of names) {
      if (signal.aborted) return false;
      const patience = createDeadline(patienceMs, `volume "${name}"`, signal);
      const settled = inTurn(name, { signal: patience.signal }, () => work(name));
      const isDone = await settled.finally(patience.release).catch((error: unknown) => {
        const { message } = toCleatError(error);
        if (!patience.signal.aborted && told.get(name) !== message) {
          logger.warn({ err: error, volume: name }, "etcd and this host do not agree on a volume yet");
          told.set(name, message);
        }
        return false;
      });
      if (isDone) told.delete(name);
      isSettled &&= isDone;
    }
    return isSettled;
  };
  const look = async (signal: AbortSignal): Promise<boolean> => {
    const claim = await presence.keep();
    const used = await records.used();
    const here = await own.names();
    const isSettled = await each(new Set([...used, ...here]), signal, (name) => settle(name, used.has(name), claim));
    const shared = await records.list();
    const gone = here.filter((name) => !shared.has(name));
    return (await each(gone, signal, removeGone)) && isSettled;
  };
  let pauseMs = lookMs;
  return repeat(lookMs, async (signal) => {
    try {
      pauseMs = (await look(signal)) ? lookMs : Math.min(pauseMs < lookMs ? pauseMs * 2 : againMs, lookMs);
      return pauseMs;
    } catch (error) {
      logger.warn({ err: error }, "etcd and this host cannot be compared");
      return lookMs;
    }
  });
}

import { toCleatError } from "../../errors/index.ts";
import type { Logger } from "../../transport/index.ts";
import type { HostClaim, HostPresence } from "./host-presence.ts";
import type { OwnPart } from "./own-part.ts";
import type { SharedRecords } from "./shared-records.ts";

export interface SharedWatchParts {
  readonly own: OwnPart;
  readonly records: SharedRecords;
  readonly presence: HostPresence;
  /** Volumes that are mounted here and are another's now, with the reason. */
  readonly fenced: Map<string, string>;
  inTurn(name: string, signal: undefined, work: () => Promise<void>): Promise<void>;
  readonly lookMs: number;
  readonly logger: Logger;
}

/**
 * Looks now and then whether etcd and this host agree: tells etcd what it was not told while it did not answer, and notices
 * what others were told of this host meanwhile. The kernel and the records of this host say what is mounted here.
 */
export function watchShared({ own, records, presence, fenced, inTurn, lookMs, logger }: SharedWatchParts): {
  stop(): Promise<void>;
} {
  const fence = (name: string, reason: string) => {
    fenced.set(name, reason);
    logger.error({ volume: name, reason }, "volume is mounted here, and was given to another");
  };
  const settle = async (name: string, isUsed: boolean, claim: HostClaim) => {
    if (await own.isFree(name)) {
      fenced.delete(name);
      if (isUsed) await records.giveBack(name, claim);
      return;
    }
    try {
      const volume = await records.use(name, claim);
      if (!isUsed && (await own.isAnother(name, volume))) {
        await records.giveBack(name, claim);
        fence(name, `volume "${name}" was removed, and another has its name`);
      } else fenced.delete(name);
    } catch (error) {
      const { code, message } = toCleatError(error);
      if (code !== "FAILED_PRECONDITION" && code !== "NOT_FOUND") throw error;
      fence(name, message);
    }
  };
  const removeGone = async (name: string) => {
    if ((await own.isFree(name)) && (await records.find(name)) === undefined) await own.remove(name);
  };
  const look = async () => {
    const claim = await presence.keep();
    const used = await records.used();
    const here = await own.names();
    for (const name of new Set([...used, ...here]))
      await inTurn(name, undefined, () => settle(name, used.has(name), claim));
    const shared = await records.list();
    for (const name of here) if (!shared.has(name)) await inTurn(name, undefined, () => removeGone(name));
  };

  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  const lookAndPlan = async () => {
    await look().catch((error: unknown) => logger.warn({ err: error }, "etcd and this host cannot be compared"));
    if (!isStopped) timer = setTimeout(() => (looking = lookAndPlan()), lookMs).unref();
  };
  let looking = lookAndPlan();
  return {
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await looking;
    },
  };
}

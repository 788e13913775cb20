import { CleatError } from "../../../errors/index.ts";
import { closeOnSignals, type Logger } from "../../../plugin/index.ts";
import type { CommandContext } from "../../terminal/command.ts";
import { createLogger } from "../options/logger.ts";
import type { OutputValues } from "../options/serving-options.ts";
import { openMetricsDoor } from "./metrics-door.ts";
import type { Door } from "./door.ts";

/** How long running calls may take once a signal has come, so that everything ends within `endingPatienceMs`. */
export const drainTimeoutMs = 8_000;

/** From a signal to the end of the process, whatever hangs; who stops a service often waits 10 s, and then kills it. */
const endingPatienceMs = 9_500;

/**
 * Opens doors, one after another, and closes those that it opened when one of them cannot be. Where `ending` aborts
 * meanwhile, it may leave out what it has not begun with.
 */
export type OpenDoors = (logger: Logger, ending: AbortSignal) => Promise<readonly Door[]>;

/**
 * Opens doors, says what is served, and serves it until a signal ends that. Signals are heeded before anything is made:
 * one that comes while doors are opened closes them as soon as they are, and nothing is said of them.
 * @throws DEADLINE_EXCEEDED when something could not be ended in time; the process may end then all the same.
 */
export async function serveDoors(values: OutputValues, context: CommandContext, open: OpenDoors): Promise<void> {
  const logger = await createLogger(values["log-level"] ?? "info", context);
  const { stdout, closingSignals } = context;
  const [ending, failed] = [new AbortController(), new AbortController()];
  const ended = closeOnSignals(
    { close: async () => inTime(closeDoors(opened)) },
    {
      signals: closingSignals,
      signal: failed.signal,
      onSignal(signal) {
        logger.info({ signal }, "closing; once more to stop at once");
        ending.abort();
      },
    },
  );
  const opened = openAll(values, open, logger, ending.signal);
  const say = async () => {
    const doors = await opened;
    if (!ending.signal.aborted) for (const door of doors) stdout.write(describe(door, values.json === true));
  };
  const said = say();
  said.catch(() => failed.abort());
  await ended;
  await said;
}

/** Metrics before all else, so that the first call is counted; told last. */
async function openAll(
  { metrics }: OutputValues,
  open: OpenDoors,
  logger: Logger,
  ending: AbortSignal,
): Promise<readonly Door[]> {
  if (metrics === undefined) return await open(logger, ending);
  const door = await openMetricsDoor(metrics);
  try {
    return [...(await open(logger, ending)), door];
  } catch (error) {
    await door.close();
    throw error;
  }
}

function describe({ lines, fields }: Door, asJson: boolean): string {
  return asJson ? `${JSON.stringify(fields)}\n` : `${lines.join("\n")}\n`;
}

/** All of them, whatever one says. @throws what opening them threw, too. */
export async function closeDoors(doors: readonly Door[] | Promise<readonly Door[]>): Promise<void> {
  const outcomes = await Promise.allSettled((await doors).map((door) => door.close()));
  const errors = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, "not all could be closed cleanly");
}

async function inTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `what runs has not ended within ${endingPatienceMs} ms, and is broken off`;
      reject(new CleatError("DEADLINE_EXCEEDED", message));
    }, endingPatienceMs);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

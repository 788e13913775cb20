import { closeOnSignals, type Logger } from "../../plugin/index.ts";
import type { CommandContext } from "../terminal/command.ts";
import type { Door } from "./door.ts";

export interface ServeDoorsOptions {
  readonly asJson: boolean;
  readonly context: CommandContext;
  readonly logger: Logger;
}

/** Says what is served, and serves it until a signal ends that. */
export async function serveDoors(doors: readonly Door[], options: ServeDoorsOptions): Promise<void> {
  const { asJson, context, logger } = options;
  const { stdout, closingSignals } = context;
  const close = () => closeDoors(doors);
  try {
    for (const { lines, fields } of doors)
      stdout.write(asJson ? `${JSON.stringify(fields)}\n` : `${lines.join("\n")}\n`);
  } catch (error) {
    await close();
    throw error;
  }
  await closeOnSignals(
    { close },
    {
      signals: closingSignals,
      onSignal: (signal) => logger.info({ signal }, "closing; once more to stop at once"),
    },
  );
}

/** All of them, whatever one says. */
export async function closeDoors(doors: readonly Door[]): Promise<void> {
  const outcomes = await Promise.allSettled(doors.map((door) => door.close()));
  const errors = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, "not all could be closed cleanly");
}

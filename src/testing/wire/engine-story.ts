/** What an engine sends for what its user does, call by call, as it was recorded (`test/golden`). */
import type { Method } from "../../protocol/index.ts";
import type { WireContext } from "../protocol/context.ts";
import { assertFailureShape, assertSuccess } from "./answers.ts";
import { bodyWithoutArguments, type EngineDialect } from "./engine-dialects.ts";
import type { WireAnswer } from "./plugin-peer.ts";

/** What was answered before, by names of the story's own: a pool's id. */
export type Answered = Record<string, string>;

export interface StoryStep {
  readonly method: Method;
  /** Without it the call has no arguments. */
  readonly request?: (answered: Answered) => object;
  /** "refused": it has to fail. "either": it may, in a form that can be read; default it has to succeed. */
  readonly outcome?: "refused" | "either";
  /** Keeps what later steps ask with, and looks at the answer. */
  readonly read?: (answer: never, answered: Answered) => void;
}

/** All on one connection, as an engine keeps it. A method that is `optional` may be missing. */
export async function tellStory(
  { peer, message }: WireContext,
  dialect: EngineDialect,
  steps: readonly StoryStep[],
): Promise<void> {
  const answered: Answered = {};
  using connection = peer.openConnection();
  for (const { method, request, outcome, read } of steps) {
    const { path, optional } = method;
    const protocol = path.slice(1).split(".")[0] ?? "";
    const body =
      request === undefined
        ? bodyWithoutArguments(dialect, protocol)
        : JSON.stringify(request(answered)) + dialect.ending;
    const answer = await connection.send(message(path, body, dialect));
    if (optional === true && answer.status === 404) continue;
    judge(method, answer, outcome, (value) => read?.(value as never, answered));
  }
}

function judge(
  method: Method,
  answer: WireAnswer,
  outcome: StoryStep["outcome"],
  read: (value: unknown) => void,
): void {
  const { path } = method;
  if (outcome === "refused" || (outcome === "either" && answer.status !== 200)) {
    return assertFailureShape(path, answer, "what must be refused");
  }
  if ("response" in method) read(assertSuccess(path, answer, method.response));
}

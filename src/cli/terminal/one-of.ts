import { UsageError } from "./command.ts";
import { quote } from "./command-line.ts";

/** What an option or an operand may be, of a closed list. @throws UsageError for anything else. */
export function parseOneOf<T extends string>(what: string, known: readonly T[], text: string): T {
  const found = known.find((one) => one === text);
  if (found !== undefined) return found;
  throw new UsageError(`${what} takes ${known.slice(0, -1).join(", ")} or ${known.at(-1)}, not ${quote(text)}`);
}

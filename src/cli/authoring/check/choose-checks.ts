import { CleatError } from "../../../errors/index.ts";
import { UsageError } from "../../terminal/command.ts";
import { quote } from "../../terminal/command-line.ts";
import type { Kit } from "./kits.ts";

/** Those that are asked for, or all. @throws UNIMPLEMENTED for one that the plugin does not have. */
export function pickSubsystems(
  implemented: readonly string[],
  asked: readonly string[] | undefined,
): readonly string[] {
  const missing = asked?.find((subsystem) => !implemented.includes(subsystem));
  if (missing === undefined) return asked ?? implemented;
  const listed = implemented.join(", ") || "nothing";
  throw new CleatError("UNIMPLEMENTED", `plugin does not implement ${missing}: it implements ${listed}`);
}

export interface Chosen {
  readonly kit: Kit;
  readonly ids: readonly string[];
}

/** Those checks that are asked for. @throws UsageError for an id that there is not. */
export function chooseChecks(
  kits: readonly Kit[],
  { only, isSafe, known }: { only: readonly string[] | undefined; isSafe: boolean; known: readonly string[] },
): readonly Chosen[] {
  const ids = kits.flatMap(({ checks }) => checks.map(({ id }) => id));
  const unknown =
    only?.find((start) => !ids.some((id) => id.startsWith(start))) ?? known.find((id) => !ids.includes(id));
  if (unknown !== undefined)
    throw new UsageError(`there is no check ${quote(unknown)} for what this plugin implements`);
  return kits.flatMap((kit) => {
    const chosen = kit.checks.filter(
      ({ id, makes }) => (only?.some((start) => id.startsWith(start)) ?? true) && !(isSafe && makes !== undefined),
    );
    return chosen.length === 0 ? [] : [{ kit, ids: chosen.map(({ id }) => id) }];
  });
}

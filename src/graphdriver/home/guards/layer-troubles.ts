import { toCleatError } from "../../../errors/index.ts";
import type { GraphDriverMethods, ListedLayer, StatusRow } from "../../driver.ts";

/** A driver's status, and which layers cannot be read or are not to be trusted. Costs what `list` does. */
export function statusWithTroubles(driver: GraphDriverMethods): GraphDriverMethods["status"] {
  return async (call) => {
    const rows = await driver.status(call);
    try {
      const troubled: ListedLayer[] = [];
      for await (const layer of driver.list?.(call) ?? [])
        if ((layer.unreadable ?? layer.misfit) !== undefined) troubled.push(layer);
      return [...rows, ...describeTroubles(troubled)];
    } catch (error) {
      call?.signal?.throwIfAborted();
      return [...rows, ["Unreadable Layers", `they cannot be listed: ${toCleatError(error).message}`]];
    }
  };
}

/** An engine shows a row on one line. */
const maxTold = 3;

function describeTroubles(layers: readonly ListedLayer[]): StatusRow[] {
  const row = (name: string, told: readonly (readonly [id: string, problem: string | undefined])[]): StatusRow[] => {
    const shown = told.flatMap(([id, problem]) => (problem === undefined ? [] : [`${id}: ${problem}`]));
    if (shown.length === 0) return [];
    const more = shown.length > maxTold ? `; and ${shown.length - maxTold} more` : "";
    return [[name, `${shown.slice(0, maxTold).join("; ")}${more} (see cleat fsck)`]];
  };
  return [
    ...row(
      "Unreadable Layers",
      layers.map(({ id, unreadable }) => [id, unreadable]),
    ),
    ...row(
      "Contradictory Layers",
      layers.map(({ id, misfit }) => [id, misfit]),
    ),
  ];
}

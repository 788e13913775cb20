import { toCleatError } from "../../../errors/index.ts";
import type { CallOptions } from "../../../protocol/index.ts";
import type { GraphDriverMethods, ListedLayer, StatusRow } from "../../driver.ts";

/**
 * A driver's status, and which layers cannot be read or are not to be trusted. Costs what `list` does, of thousands of
 * layers no oftener than leaves a thread for others: engines' `info` is asked for again and again.
 */
export function statusWithTroubles(
  driver: GraphDriverMethods,
  now: () => number = () => performance.now(),
): GraphDriverMethods["status"] {
  let known: { readonly rows: StatusRow[]; readonly untilMs: number } | undefined;

  async function findTroubles(call: CallOptions | undefined): Promise<StatusRow[]> {
    const startedMs = now();
    if (known !== undefined && startedMs < known.untilMs) return known.rows;
    const troubled: ListedLayer[] = [];
    let count = 0;
    for await (const layer of driver.list?.(call) ?? []) {
      count += 1;
      if ((layer.unreadable ?? layer.misfit) !== undefined) troubled.push(layer);
    }
    const rows = describeTroubles(troubled);
    const endedMs = now();
    const restMs = Math.min(restFactor * (endedMs - startedMs), maxRestMs);
    known = count < manyLayers ? undefined : { rows, untilMs: endedMs + restMs };
    return rows;
  }

  return async (call) => {
    const rows = await driver.status(call);
    try {
      return [...rows, ...(await findTroubles(call))];
    } catch (error) {
      call?.signal?.throwIfAborted();
      return [...rows, ["Unreadable Layers", `they cannot be listed: ${toCleatError(error).message}`]];
    }
  };
}

/** Fewer are listed for each who asks. */
const manyLayers = 1_000;
/** What was found in more stands for so many times as long as it took: of 10,000 layers, for some ten seconds. */
const restFactor = 20;
/** Also of a disk that fails, on which a list takes minutes: an operator who looks again is to see what has come. */
const maxRestMs = 30_000;

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

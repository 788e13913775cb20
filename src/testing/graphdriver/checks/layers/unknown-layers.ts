import { equal } from "node:assert/strict";
import type { GraphDriver } from "../../../../graphdriver/index.ts";
import { file } from "../../../archive/entry.ts";
import type { GraphDriverCheck } from "../../check.ts";
import { applyEntries, makeLayer } from "../../layers.ts";

type Call = (driver: GraphDriver, id: string, parent?: string) => Promise<unknown>;

/** Methods that read a layer, and so cannot do without it. */
const reading: readonly [name: string, call: Call][] = [
  ["get", (driver, id) => driver.get(id, {})],
  ["metadata", (driver, id) => driver.metadata(id)],
  ["diff", (driver, id, parent) => readToEnd(driver.diff(id, parent))],
  ["changes", (driver, id, parent) => driver.changes(id, parent)],
  ["diffSize", (driver, id, parent) => driver.diffSize(id, parent)],
];

const comparing = reading.filter(([name]) => name === "diff" || name === "changes" || name === "diffSize");

export const unknownLayerChecks: readonly GraphDriverCheck[] = [
  ...reading.map(([name, call]): GraphDriverCheck => ({
    id: `unknown/${name}`,
    title: `${name} of a layer that does not exist is refused, and makes none`,
    async run({ driver, refused }) {
      await refused(call(driver, "nobody"), "NOT_FOUND", "nobody");
      equal(await driver.exists("nobody"), false);
    },
  })),
  {
    id: "unknown/applyDiff",
    title: "applyDiff to a layer that does not exist is refused, and makes none",
    async run(context) {
      await context.refused(applyEntries(context, "nobody", undefined, [file("a", "a")]), "NOT_FOUND", "nobody");
      equal(await context.driver.exists("nobody"), false);
    },
  },
  ...comparing.map(([name, call]): GraphDriverCheck => ({
    id: `unknown/${name}-parent`,
    title: `${name} against a parent that does not exist is refused`,
    async run(context) {
      const id = await makeLayer(context, undefined, [file("a", "a")]);
      await context.refused(call(context.driver, id, "nobody"), "NOT_FOUND", "nobody");
    },
  })),
];

/** Over a wire, a diff that fails at once may have been answered with a stream already. */
async function readToEnd(stream: ReturnType<GraphDriver["diff"]>): Promise<void> {
  for await (const _ of await stream);
}

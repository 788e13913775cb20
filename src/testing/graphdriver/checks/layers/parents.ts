import { deepEqual, equal, ok } from "node:assert/strict";
import { CleatError } from "../../../../errors/index.ts";
import { file } from "../../../archive/entry.ts";
import type { GraphDriverCheck } from "../../check.ts";
import type { GraphDriverContext } from "../../context.ts";
import { listChanges, makeContainer, makeEmptyLayer, makeLayer, readLayer } from "../../layers.ts";
import { protectedParents } from "../../needs.ts";

const base = [file("motd", "hello"), file("other", "x")];

/** An image of two layers and a container on it; their ids, the lowest first. */
async function makeStack(context: GraphDriverContext) {
  const bottom = await makeLayer(context, undefined, base);
  const middle = await makeLayer(context, bottom, [file("app", "a")]);
  const top = await makeContainer(context, middle, (writer) => writer.write("written", "w"));
  return { bottom, middle, top };
}

async function assertRefused({ driver, refused }: GraphDriverContext, id: string, child: string): Promise<void> {
  await refused(driver.remove(id), "FAILED_PRECONDITION", id);
  await refused(driver.remove(id), "FAILED_PRECONDITION", child);
}

export const parentChecks: readonly GraphDriverCheck[] = [
  {
    id: "parents/refused",
    title: "a layer on which another lies is not removed, and goes once that one is gone",
    needs: protectedParents,
    async run(context) {
      const { bottom, middle, top } = await makeStack(context);
      await assertRefused(context, bottom, middle);
      await assertRefused(context, middle, top);
      deepEqual(await listChanges(context, top, middle), ["added /written"]);
      deepEqual([...(await readLayer(context, top)).keys()].toSorted(), ["app", "motd", "other", "written"]);
      for (const id of [top, middle, bottom]) {
        await context.driver.remove(id);
        equal(await context.driver.exists(id), false);
      }
    },
  },
  {
    id: "parents/refused-after-reopen",
    title: "what lies on what is known after a restart, too",
    needs: protectedParents,
    async run(context) {
      const { bottom, middle, top } = await makeStack(context);
      await context.reopen();
      await assertRefused(context, middle, top);
      await assertRefused(context, bottom, middle);
      const second = await makeEmptyLayer(context, bottom);
      for (const id of [top, middle]) await context.driver.remove(id);
      await assertRefused(context, bottom, second);
      await context.driver.remove(second);
      await context.driver.remove(bottom);
      equal(await context.driver.exists(bottom), false);
    },
  },
  {
    id: "parents/refused-create",
    title: "a layer that could not be made keeps none from being removed",
    needs: protectedParents,
    async run(context) {
      const { driver, refused, newId } = context;
      const parent = await makeLayer(context, undefined, base);
      const taken = await makeEmptyLayer(context);
      await refused(driver.create(taken, { parent }), "ALREADY_EXISTS", taken);
      await refused(
        driver.createReadWrite(newId(), { parent, storageOptions: { "no.such.option": "1" } }),
        ["UNIMPLEMENTED", "INVALID_ARGUMENT"],
        "no.such.option",
      );
      await driver.remove(parent);
      equal(await driver.exists(parent), false);
    },
  },
  {
    id: "parents/at-once",
    title: "of a removal and a new layer on what is removed, at once, one is refused",
    needs: protectedParents,
    async run(context) {
      const { driver, newId } = context;
      for (let round = 0; round < 12; round++) {
        const parent = await makeEmptyLayer(context);
        const child = newId();
        const calls = [() => driver.create(child, { parent }), () => driver.remove(parent)];
        const order = round % 2 === 0 ? calls : calls.toReversed();
        const outcomes = await Promise.allSettled(order.map((call) => call()));
        const failed = outcomes.flatMap((outcome) =>
          outcome.status === "rejected" ? [outcome.reason as unknown] : [],
        );
        equal(failed.length, 1, "exactly one is refused");
        const [error] = failed;
        ok(error instanceof CleatError && ["FAILED_PRECONDITION", "NOT_FOUND"].includes(error.code), String(error));
        equal(await driver.exists(parent), await driver.exists(child), "both are there, or neither");
      }
    },
  },
  {
    id: "parents/all-at-once",
    title: "a whole stack that is removed at once, the uppermost first, goes",
    needs: protectedParents,
    async run(context) {
      const { bottom, middle, top } = await makeStack(context);
      await Promise.all([top, middle, bottom].map((id) => context.driver.remove(id)));
      for (const id of [top, middle, bottom]) equal(await context.driver.exists(id), false);
    },
  },
  {
    id: "parents/removed-anyway",
    title: "a layer that is removed although another lies on it is missed by name, and that one can be removed",
    async run(context) {
      const { driver, refused } = context;
      const parent = await makeLayer(context, undefined, base);
      const child = await makeContainer(context, parent, (writer) => writer.write("written", "w"));
      await driver.remove(parent, { evenWithChildren: true });
      equal(await driver.exists(parent), false);
      const missed = ["NOT_FOUND", "FAILED_PRECONDITION"] as const;
      await refused(driver.diff(child, parent), missed, parent);
      await refused(driver.changes(child, parent), missed, parent);
      await refused(driver.diffSize(child, parent), missed, parent);
      const outcome = await driver.get(child, {}).then(
        () => driver.put(child),
        (error: unknown) => refused(Promise.reject(error), missed, child),
      );
      equal(outcome, undefined);
      await driver.remove(parent);
      await driver.remove(child);
      equal(await driver.exists(child), false);
    },
  },
];

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CleatError } from "../../../errors/index.ts";
import type { FoundPlugin } from "../look-up/found-plugin.ts";
import { createUntoldChanges } from "./untold-changes.ts";

const found = (name: string, identity: string): FoundPlugin => {
  return { name, path: `/run/${name}.sock`, address: { unix: `/run/${name}.sock` }, tls: undefined, identity };
};
const broken = (name: string, message: string) => {
  return { name, path: `/etc/${name}.spec`, error: new CleatError("INVALID_ARGUMENT", message) };
};

describe("changes that nobody has been told", () => {
  it("are one a name, whatever happened", () => {
    const untold = createUntoldChanges();
    untold.update([found("a", "1"), found("b", "1"), found("c", "1")]);
    untold.update([found("a", "2"), found("c", "1")]);
    expect(untold.take()).toEqual({ kind: "appeared", name: "a", plugin: found("a", "2") });
    untold.update([found("a", "3")]);
    untold.update([]);
    untold.update([found("a", "4")]);
    expect(untold.take()).toEqual({ kind: "changed", name: "a", plugin: found("a", "4") });
    untold.update([]);
    expect(untold.take()).toEqual({ kind: "disappeared", name: "a" });
    expect(untold.take()).toBeUndefined();
  });

  it("are none when all is again as it was told", () => {
    const untold = createUntoldChanges();
    untold.update([found("a", "1")]);
    untold.take();
    untold.update([]);
    untold.update([found("a", "1")]);
    expect(untold.take()).toBeUndefined();
  });

  it("know one broken file from another", () => {
    const untold = createUntoldChanges();
    for (const [plugin, kind] of [
      [broken("a", "is empty"), "appeared"],
      [broken("a", "is empty"), undefined],
      [broken("a", "is half written"), "changed"],
      [found("a", "1"), "changed"],
    ] as const) {
      untold.update([plugin]);
      expect(untold.take()?.kind).toBe(kind);
    }
  });

  it("do not let one restless name keep back the others", () => {
    const untold = createUntoldChanges();
    untold.update([found("a", "0"), found("b", "0"), found("c", "0")]);
    const names = [1, 2, 3].map((times) => {
      untold.update([found("a", String(times)), found("b", "0"), found("c", "0")]);
      return untold.take()?.name;
    });
    expect(names).toEqual(["a", "b", "c"]);
  });

  it("lead in the end to what is there, from whatever was told before", () => {
    const state = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.constantFrom("1", "2"));
    fc.assert(
      fc.property(fc.array(fc.tuple(state, fc.nat(4))), (steps) => {
        const untold = createUntoldChanges();
        const known: Record<string, string> = {};
        const takeUpTo = (count: number) => {
          for (let taken = 0; taken < count; taken++) {
            const change = untold.take();
            if (change === undefined) return;
            expect(change.name in known).toBe(change.kind !== "appeared");
            if (change.kind === "disappeared") delete known[change.name];
            else known[change.name] = (change.plugin as FoundPlugin).identity;
          }
        };
        for (const [present, count] of steps) {
          untold.update(Object.entries(present).map(([name, identity]) => found(name, identity)));
          takeUpTo(count);
        }
        takeUpTo(100);
        expect(known).toEqual({ ...steps.at(-1)?.[0] });
      }),
    );
  });
});

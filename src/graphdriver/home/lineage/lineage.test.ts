import { expect, it } from "vitest";

import { CleatError } from "../../../errors/index.ts";
import { createLineage } from "./lineage.ts";
import type { Parents } from "./relations.ts";

const refusal = (id: string, child: string) => ({
  code: "FAILED_PRECONDITION",
  message: `layer "${id}" cannot be removed: layer "${child}" lies on it`,
});

function open(found: Parents = []) {
  let reads = 0;
  const lineage = createLineage({
    readParents: async () => {
      reads += 1;
      return found;
    },
    exists: async () => true,
  });
  const remove = (id: string) => lineage.removing(id, {}, async () => "removed");
  const make = (id: string, parent: string) => lineage.making(id, parent, async () => "made");
  return { lineage, remove, make, readCount: () => reads };
}

it("refuses a parent, of this process and of an earlier one, until its children are gone", async () => {
  const { remove, make, readCount } = open([["old", "base"]]);
  await make("new", "base");
  await expect(remove("base")).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
  await remove("new");
  await expect(remove("base")).rejects.toMatchObject(refusal("base", "old"));
  await remove("old");
  await expect(remove("base")).resolves.toBe("removed");
  expect(readCount()).toBe(1);
});

it("removes a parent that is to go all the same, without a look", async () => {
  const { lineage, make, readCount } = open();
  await make("child", "base");
  await expect(lineage.removing("base", { evenWithChildren: true }, async () => "removed")).resolves.toBe("removed");
  expect(readCount()).toBe(0);
});

it("forgets a layer that could not be made, and none that was there", async () => {
  const { lineage, remove, make } = open();
  await make("taken", "first");
  const failing = async () => {
    throw new CleatError("ALREADY_EXISTS", "taken");
  };
  await expect(lineage.making("taken", "second", failing)).rejects.toThrow("taken");
  await expect(remove("second")).resolves.toBe("removed");
  await expect(remove("first")).rejects.toMatchObject(refusal("first", "taken"));
});

it("lets a layer that was removed while parents were read, not come back", async () => {
  let answer!: (parents: Parents) => void;
  const readParents = () => new Promise<Parents>((resolve) => (answer = resolve));
  const lineage = createLineage({ readParents, exists: async () => true });
  const waiting = lineage.removing("base", {}, async () => "removed");
  await lineage.removing("child", { evenWithChildren: true }, async () => "removed");
  answer([["child", "base"]]);
  await expect(waiting).resolves.toBe("removed");
});

it("reads again after a failure", async () => {
  let reads = 0;
  const readParents = async (): Promise<Parents> => {
    reads += 1;
    if (reads === 1) throw new CleatError("UNAVAILABLE", "disk");
    return [];
  };
  const lineage = createLineage({ readParents, exists: async () => true });
  const remove = () => lineage.removing("base", {}, async () => "removed");
  await expect(remove()).rejects.toThrow("disk");
  await expect(remove()).resolves.toBe("removed");
});

it("refuses whatever a layer may lie on, until it is told on what it lies, or the layer is gone", async () => {
  const found: (readonly [string, string | undefined])[] = [
    ["child", undefined],
    ["old", "base"],
  ];
  const { lineage, remove, readCount } = open(found);
  const problem = 'layer "base" cannot be removed: layer "child" may lie on it, whose files cannot be read now';
  await expect(remove("base")).rejects.toMatchObject(refusal("base", "old"));
  await lineage.removing("old", { evenWithChildren: true }, async () => "removed");
  await expect(remove("base")).rejects.toMatchObject({ code: "FAILED_PRECONDITION", message: problem });
  await expect(
    lineage.moving(
      "base",
      "other",
      async () => {},
      () => undefined,
    ),
  ).rejects.toThrow("may lie on it");
  found[0] = ["child", "base"];
  await expect(remove("base")).rejects.toMatchObject(refusal("base", "child"));
  const reads = readCount();
  await remove("child");
  await expect(remove("base")).resolves.toBe("removed");
  expect(readCount()).toBe(reads);
  const gone = open([["child", undefined]]);
  await gone.remove("child");
  await expect(gone.remove("base")).resolves.toBe("removed");
});

it("removes what it made itself, or what the caller knows to have no child, while one cannot be read", async () => {
  const { lineage, remove, make } = open([["child", undefined]]);
  const removing = (id: string, mayLieOn: (other: string) => boolean) =>
    lineage.removing(id, { mayLieOn }, async () => "removed");
  await make("new", "base");
  await expect(remove("base")).rejects.toMatchObject(refusal("base", "new"));
  await expect(remove("new")).resolves.toBe("removed");
  await expect(remove("new")).rejects.toThrow("may lie on it"); // another of that name
  await expect(removing("base", (other) => other === "child")).rejects.toThrow("may lie on it");
  await expect(removing("base", () => false)).resolves.toBe("removed");
});

it("takes a layer for one that may lie on any, if nobody can say where it lies now", async () => {
  const { lineage, remove, make } = open([["loose", undefined]]);
  await make("loose", "old");
  await make("base", "old");
  const cannotTell = () => {
    throw new CleatError("UNKNOWN", "disk");
  };
  await expect(lineage.moving("loose", "base", async () => {}, cannotTell)).rejects.toThrow("disk");
  const move = async () => {
    throw new CleatError("RESOURCE_EXHAUSTED", "full");
  };
  const both = { code: "RESOURCE_EXHAUSTED", message: "full; nobody can say now on what it lies: disk" };
  await expect(lineage.moving("loose", "base", move, cannotTell)).rejects.toMatchObject(both);
  await expect(remove("base")).rejects.toThrow('"loose" may lie on it');
});

it("removes what is not there, though there is a layer that may lie on any", async () => {
  const exists = async (id: string) => id !== "gone";
  const lineage = createLineage({ readParents: async () => [["child", undefined]], exists });
  await expect(lineage.removing("gone", {}, async () => "removed")).resolves.toBe("removed");
  await expect(lineage.removing("base", {}, async () => "removed")).rejects.toThrow("may lie on it");
});

it("lets a layer that is being made keep its parent, and a parent that leaves keep a new layer waiting", async () => {
  const { lineage, remove } = open();
  const log: string[] = [];
  let finish!: () => void;
  const until = new Promise<void>((resolve) => (finish = resolve));
  const making = lineage.making("child", "base", () => until);
  await expect(remove("base")).rejects.toMatchObject(refusal("base", "child"));
  finish();
  await making;
  await remove("child");
  let removed!: () => void;
  const removing = lineage.removing(
    "base",
    { evenWithChildren: true },
    () => new Promise<void>((resolve) => (removed = resolve)),
  );
  const late = lineage.making("late", "base", async () => void log.push("made"));
  await Promise.resolve();
  log.push("removed");
  removed();
  await Promise.all([removing, late]);
  expect(log).toEqual(["removed", "made"]);
});

it("knows a layer where it was laid, whatever became of that, and lets none with children go elsewhere", async () => {
  const { lineage, remove, make } = open();
  let on: string | undefined;
  const move = (id: string, parent: string | undefined, outcome = Promise.resolve("moved")) =>
    lineage.moving(
      id,
      parent,
      async () => {
        on = parent;
        return outcome;
      },
      () => on,
    );
  await expect(move("loose", "first")).resolves.toBe("moved");
  await expect(remove("first")).rejects.toMatchObject(refusal("first", "loose"));
  await make("child", "loose");
  await expect(move("loose", undefined)).rejects.toMatchObject({
    code: "FAILED_PRECONDITION",
    message: 'layer "loose" cannot be laid on another: layer "child" lies on it',
  });
  await remove("child");
  const failing = Promise.reject(new CleatError("UNKNOWN", "disk"));
  await expect(move("loose", undefined, failing)).rejects.toThrow("disk");
  await expect(remove("first")).resolves.toBe("removed");
  await expect(remove("loose")).resolves.toBe("removed");
});

it("lets no parent go on which a layer is being laid", async () => {
  const { lineage, remove } = open();
  let finish!: () => void;
  let moving!: Promise<void>;
  await new Promise<void>((begun) => {
    const move = () =>
      new Promise<void>((resolve) => {
        finish = resolve;
        begun();
      });
    moving = lineage.moving("loose", "base", move, () => "base");
  });
  await expect(remove("base")).rejects.toMatchObject(refusal("base", "loose"));
  finish();
  await moving;
  await expect(remove("base")).rejects.toMatchObject(refusal("base", "loose"));
});

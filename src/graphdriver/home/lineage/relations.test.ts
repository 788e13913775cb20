import { expect, it } from "vitest";
import { createRelations, type Parents } from "./relations.ts";

const fail = (): never => {
  throw new Error("EIO");
};

it("keeps a layer in mind of which nobody can say where it lies, also one whose name was another's", async () => {
  const relations = createRelations(async () => [
    ["other", undefined],
    ["child", undefined],
  ]);
  await relations.read();
  relations.forget("child");
  relations.made("child", "old");
  expect(() => relations.laid("child", fail)).toThrow("EIO");
  await relations.read();
  expect(relations.unreadFor("base")).toEqual(["other", "child"]);
});

it("believes nothing of a layer that was read before it was laid elsewhere", async () => {
  const answers: ((parents: Parents) => void)[] = [];
  const relations = createRelations(() => new Promise((resolve) => answers.push(resolve)));
  const reading = relations.read();
  relations.laid("alone", () => undefined);
  relations.laid("moved", () => "new");
  expect(() => relations.laid("lost", fail)).toThrow("EIO");
  answers.shift()?.([
    ["alone", "old"],
    ["moved", "old"],
    ["lost", "old"],
  ]);
  await new Promise(setImmediate);
  answers.shift()?.([
    ["moved", "new"],
    ["lost", "new"],
  ]);
  await reading;
  expect([...relations.childrenOf("old")]).toEqual([]);
  expect([...relations.childrenOf("new")]).toEqual(["moved", "lost"]);
});

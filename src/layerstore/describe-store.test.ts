import { expect, it } from "vitest";
import { describeStore } from "./describe-store.ts";
import type { EngineRecords } from "./engine-records.ts";
import type { SurveyedLayer } from "../graphdriver/survey.ts";

const layer = (id: string, more: Partial<SurveyedLayer> = {}): SurveyedLayer => ({
  id,
  parent: undefined,
  parentage: "none",
  role: "unknown",
  condition: "whole",
  committed: false,
  mounts: [],
  holds: 0,
  ...more,
});
const on = (parent: string) => ({ parent, parentage: "known" as const });
const surveyOf = (...layers: SurveyedLayer[]) => ({ driver: "vfs", home: "/h", layersHold: "trees" as const, layers });
const diffsOf = (...layers: SurveyedLayer[]) => ({ ...surveyOf(...layers), layersHold: "diffs" as const });
const engineOf = (layers: EngineRecords["layers"]): EngineRecords => ({ engine: "docker", root: "/r", layers });
const image = (parent?: string) => ({ role: "image" as const, parent, names: ["busybox:latest"] });

it("calls nothing forgotten where no engine was found, but what has lost its parent", () => {
  const { layers } = describeStore(diffsOf(layer("a"), layer("b", { parentage: "missing" })), undefined);
  expect(layers.map(({ orphaned }) => orphaned)).toEqual([undefined, "parent-missing"]);
});

it("calls a copy no orphan since the layer is gone that it was copied from", () => {
  const survey = surveyOf(layer("container", { parentage: "missing" }), layer("lost", { parentage: "missing" }));
  const engine = engineOf(new Map([["container", image()]]));
  expect(describeStore(survey, undefined).layers.map(({ orphaned }) => orphaned)).toEqual([undefined, undefined]);
  const { layers } = describeStore(survey, engine);
  expect(layers.map(({ orphaned }) => orphaned)).toEqual([undefined, "unknown-to-engine"]);
});

it("calls forgotten what the engine does not name, and not what lies below a layer that it names", () => {
  const survey = surveyOf(layer("base"), layer("middle", on("base")), layer("top", on("middle")), layer("lost"));
  const { layers } = describeStore(survey, engineOf(new Map([["top", image("middle")]])));
  expect(layers.filter(({ orphaned }) => orphaned !== undefined).map(({ id }) => id)).toEqual(["lost"]);
});

it("takes roles and names from the engine, and parents only where the store does not tell", () => {
  const survey = surveyOf(layer("base"), layer("copy", { parentage: "unknown" }), layer("top", on("base")));
  const records = new Map([
    ["base", image()],
    ["copy", image("base")],
    ["top", image("elsewhere")],
  ]);
  const { layers } = describeStore(survey, engineOf(records));
  expect(layers.map(({ parent, parentage }) => [parent, parentage])).toEqual([
    [undefined, "none"],
    ["base", "known"],
    ["base", "known"],
  ]);
  expect(layers.every(({ role, names }) => role === "image" && names[0] === "busybox:latest")).toBe(true);
});

it("ends on layers that lie on each other in a circle", () => {
  const survey = surveyOf(layer("a", on("b")), layer("b", on("a")));
  expect(describeStore(survey, engineOf(new Map([["a", image()]]))).layers).toHaveLength(2);
});

it("calls unfilled only what waits for a diff, and no container", () => {
  const unfilled = { condition: "unfilled" as const };
  const survey = surveyOf(
    layer("image", unfilled),
    layer("c-init", { ...unfilled, role: "init" }),
    layer("c", unfilled),
  );
  const container = { role: "container" as const, parent: "c-init", names: ["web"] };
  const { layers } = describeStore(survey, engineOf(new Map([["c", container]])));
  expect(layers.map(({ condition }) => condition)).toEqual(["unfilled", "whole", "whole"]);
});

import { expect, it } from "vitest";
import { announcedName } from "../definition/define-protocol.ts";
import { loadProtocol } from "./load-protocol.ts";
import { protocols } from "./protocols.ts";

it.each(protocols)("finds $name by the first half of its paths, and by what plugins announce", async (protocol) => {
  expect(await loadProtocol(protocol.name)).toBe(protocol);
  expect(await loadProtocol(announcedName(protocol))).toBe(protocol);
});

it("finds nothing by a name that is no protocol's", async () => {
  expect(await loadProtocol("constructor")).toBeUndefined();
});

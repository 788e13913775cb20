import { expect, it } from "vitest";
import { CleatError, type ErrorCode, TransportError } from "../../errors/index.ts";
import { failedProbe } from "./probe-plugin.ts";

const unreached = (code: ErrorCode) => new TransportError(code, "why", { reachedPeer: false });

it.each([
  ["silent", new TransportError("DEADLINE_EXCEEDED", "why", { reachedPeer: true })],
  ["dead", unreached("UNAVAILABLE")],
  ["broken", new TransportError("UNAVAILABLE", "why", { reachedPeer: true })],
  ["denied", unreached("PERMISSION_DENIED")],
  ["denied", unreached("UNAUTHENTICATED")],
  ["denied", new CleatError("PERMISSION_DENIED", "why")],
  ["broken", new CleatError("INVALID_ARGUMENT", "why")],
  ["broken", new Error("why")],
])("a plugin is %s that fails with %o", (state, error) => {
  expect(failedProbe(error)).toEqual({ state, reason: "why" });
});

import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { createHandler, createMemoryTransport, joinSignals, silentLogger } from "../index.ts";

describe("signals that are joined", () => {
  it("abort with the first of them, and its reason", () => {
    const [one, other] = [new AbortController(), new AbortController()];
    const { signal } = joinSignals(undefined, one.signal, other.signal);
    expect(signal.aborted).toBe(false);
    other.abort("other");
    one.abort("one");
    expect(signal.reason).toBe("other");
    expect(joinSignals(one.signal, other.signal).signal.reason).toBe("one");
    for (const { signal: source } of [one, other]) expect(getEventListeners(source, "abort")).toEqual([]);
  });

  it("do not hear of anything once they are not needed", () => {
    const long = new AbortController();
    const joined = joinSignals(long.signal);
    joined.release();
    joined.release();
    expect(getEventListeners(long.signal, "abort")).toEqual([]);
    long.abort();
    expect(joined.signal.aborted).toBe(false);
  });
});

it("calls over memory leave nothing with a caller who goes on", async () => {
  const caller = new AbortController();
  const transport = createMemoryTransport(createHandler([], { logger: silentLogger }));
  const wire = { path: "/Test.Missing", query: {}, body: new Uint8Array(0), signal: caller.signal };
  expect((await transport.send(wire)).status).toBe(404);
  expect(getEventListeners(caller.signal, "abort")).toEqual([]);
});

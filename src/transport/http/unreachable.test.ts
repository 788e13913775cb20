import { describe, expect, it, vi } from "vitest";
import { TransportError } from "../../errors/index.ts";
import { createClient, createHttpTransport, type Transport } from "../index.ts";
import { protocol } from "./transports.test.support.ts";

describe("a peer that is not there", () => {
  it("is UNAVAILABLE at once, with the address", async () => {
    const client = createClient(protocol, createHttpTransport({ unix: "/nowhere/x.sock" }), { plugin: "p" });
    await expect(client.echo({ Text: "" })).rejects.toMatchObject({
      code: "UNAVAILABLE",
      reachedPeer: false,
      message: expect.stringContaining("unix:///nowhere/x.sock"),
    });
  });

  it("is what is told when a transport tried until the deadline, unless the caller gave up", async () => {
    const tries: Transport = {
      address: "test:",
      close: async () => {},
      send: (wire) =>
        new Promise((_, reject) => {
          const unreached = new TransportError("UNAVAILABLE", "nobody answers", { reachedPeer: false });
          wire.signal.addEventListener("abort", () => reject(unreached));
        }),
    };
    const client = createClient(protocol, tries);
    await expect(client.echo({ Text: "" }, { timeoutMs: 10 })).rejects.toThrow("nobody answers");
    const caller = new AbortController();
    const call = client.echo({ Text: "" }, { signal: caller.signal });
    caller.abort();
    await expect(call).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("a deadline", () => {
  const hangs: Transport = {
    address: "test:",
    close: async () => {},
    send: (wire) => new Promise((_, reject) => wire.signal.addEventListener("abort", () => reject(new Error("gone")))),
  };

  it.each([
    [{}, {}, 5_000],
    [{ timeoutMs: 7 }, {}, 7],
    [{ timeoutMs: 7, methodTimeoutsMs: { "/Test.Echo": 8 } }, {}, 8],
    [{ timeoutMs: 7, methodTimeoutsMs: { "/Test.Extra": 8 } }, {}, 7],
    [{ timeoutMs: 7, methodTimeoutsMs: { "/Test.Echo": 8 } }, { timeoutMs: 9 }, 9],
  ])("is the call's, else the method's in %j", async (options, call, expectedMs) => {
    const timers = vi.spyOn(globalThis, "setTimeout");
    const caller = new AbortController();
    const answer = createClient(protocol, hangs, options).echo({ Text: "" }, { ...call, signal: caller.signal });
    expect(timers.mock.calls.map(([, ms]) => ms)).toContain(expectedMs);
    caller.abort();
    await expect(answer).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

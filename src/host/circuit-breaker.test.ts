import { beforeEach, describe, expect, it } from "vitest";
import { type CircuitBreaker, createCircuitBreaker } from "./circuit-breaker.ts";

let nowMs: number;
let breaker: CircuitBreaker;
beforeEach(() => {
  nowMs = 0;
  breaker = createCircuitBreaker("p", { failures: 3, pauseMs: 10_000 }, () => nowMs);
});

function fail(times: number): void {
  for (let count = 0; count < times; count++) breaker.begin().failed(new Error("it hangs"));
}

describe("a circuit breaker", () => {
  it("opens after failures in a row, and says why and for how long", () => {
    fail(3);
    nowMs = 2_500;
    const message = 'plugin "p": circuit open for 8 s more, after 3 unanswered calls, the last: it hangs';
    const refusal = { code: "UNAVAILABLE", reachedPeer: false, message };
    expect(() => breaker.begin()).toThrow(expect.objectContaining(refusal));
  });

  it("stays closed while some call is answered", () => {
    fail(2);
    breaker.begin().answered();
    fail(2);
    expect(breaker.isOpen).toBe(false);
  });

  it("lets one call try when the pause is over", () => {
    fail(3);
    nowMs = 10_000;
    const trial = breaker.begin();
    expect(() => breaker.begin()).toThrow(/until the call that tries it ends/);
    trial.answered();
    breaker.begin().answered();
    expect(breaker.isOpen).toBe(false);
  });

  it("waits twice as long each time the trial fails, up to 5 min", () => {
    fail(3);
    for (const pauseMs of [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]) {
      nowMs += pauseMs - 1;
      expect(() => breaker.begin()).toThrow();
      nowMs += 1;
      breaker.begin().failed(new Error("still"));
    }
  });

  it("gives the trial to another when its caller gave up", () => {
    fail(3);
    nowMs = 10_000;
    breaker.begin().gaveUp();
    breaker.begin().answered();
    expect(breaker.isOpen).toBe(false);
  });

  it("does not count calls that were under way when it opened", () => {
    const slow = breaker.begin();
    fail(3);
    slow.failed(new Error("too"));
    slow.gaveUp();
    nowMs = 10_000;
    breaker.begin();
    expect(() => breaker.begin()).toThrow();
  });

  it("does not count callers that gave up", () => {
    for (let count = 0; count < 9; count++) breaker.begin().gaveUp();
    expect(breaker.isOpen).toBe(false);
  });

  it("counts a failure once that many callers waited for", () => {
    const shared = new Error("it hangs");
    for (let count = 0; count < 9; count++) breaker.begin().failed(shared);
    expect(breaker.isOpen).toBe(false);
  });

  it("does not hold calls to the last program against the next", () => {
    const old = [breaker.begin(), breaker.begin(), breaker.begin()];
    breaker.reset();
    for (const call of old) call.failed(new Error("gone"));
    expect(breaker.isOpen).toBe(false);
  });

  it("forgets everything when another program is there", () => {
    fail(3);
    breaker.reset();
    fail(2);
    expect(breaker.isOpen).toBe(false);
  });
});

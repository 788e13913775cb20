import { expect, it } from "vitest";
import { createPace } from "./pace.ts";

it("tells senders that are as good as silent from those whom the job holds back", () => {
  let now = 0;
  const silent = createPace(() => now);
  const dribbling = createPace(() => now);
  const moving = createPace(() => now);
  const held = createPace(() => now);
  for (; now < 10_000; now += 100) {
    dribbling.received(1);
    moving.received(64 * 1024);
    held.received(1000);
    held.held(90);
  }
  expect([silent, dribbling, moving, held].map((pace) => pace.isSlow(1_500))).toEqual([true, true, false, false]);
});

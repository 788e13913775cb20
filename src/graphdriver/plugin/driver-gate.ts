import { finished, type Readable } from "node:stream";
import { wholeOf } from "../../protocol/kit.ts";
import type { PeerStreams } from "../streams/peer-streams.ts";

/** Lets calls run side by side, and lets what must be alone wait for them and keep new ones waiting meanwhile. */
export interface DriverGate {
  /** Runs a call; one that answers a stream counts as running until the stream is closed. */
  shared<T>(run: () => Promise<T>): Promise<T>;
  /**
   * Runs alone, after everything that was asked for earlier, but for peers that are silent meanwhile. What `admit`
   * rejects does not run, and has waited only for what had to be alone before it, not for running calls.
   */
  alone<T>(run: () => Promise<T>, admit?: () => Promise<void>): Promise<T>;
}

export function createDriverGate(peers: PeerStreams): DriverGate {
  let turn: Promise<void> = Promise.resolve();
  let running = 0;
  let whenIdle: (() => void) | undefined;

  const leave = () => {
    running--;
    if (running === 0) whenIdle?.();
  };
  const untilIdle = () => (running === 0 ? Promise.resolve() : new Promise<void>((resolve) => (whenIdle = resolve)));

  return {
    async shared(run) {
      for (let seen; seen !== turn;) {
        seen = turn;
        await seen;
      }
      running++;
      let answer;
      try {
        answer = await run();
      } catch (error) {
        leave();
        throw error;
      }
      if (isStream(answer) && wholeOf(answer) === undefined) {
        peers.follow(answer);
        finished(answer, leave);
      } else leave();
      return answer;
    },
    async alone(run, admit) {
      const before = turn;
      let release!: () => void;
      turn = new Promise((resolve) => (release = resolve));
      await before;
      try {
        await admit?.();
        await peers.outlast(undefined, untilIdle);
        return await run();
      } finally {
        release();
      }
    },
  };
}

function isStream(answer: unknown): answer is Readable {
  return typeof answer === "object" && answer !== null && "readable" in answer && "destroy" in answer;
}

import { setTimeout as pause } from "node:timers/promises";

const pollMs = 25;

/** Asks `probe` again and again until it answers something, and fails when `deadlineMs` have passed without. */
export async function until<T>(what: string, deadlineMs: number, probe: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await pause(pollMs);
  }
}

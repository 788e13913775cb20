import { setTimeout as pause } from "node:timers/promises";

const pollMs = 25;

/**
 * When what is waited for is taken not to come. Programs that start in a second take ten on a busy machine, and gRPC's
 * clients, containerd among them, wait longer each time before they try a server again that was away.
 */
const hangMs = 120_000;

/** Asks `probe` again and again until it answers something, and fails when it takes too long. */
export async function until<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + hangMs;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${hangMs} ms`);
    await pause(pollMs);
  }
}

/** The plugin's process is killed between any two calls, and another one takes its place. */
import { equal, ok } from "node:assert/strict";
import { isAbsolute } from "node:path";
import type { VolumeCheck, VolumeContext } from "../context.ts";
import { restarts } from "../needs.ts";

type Step = readonly [name: string, run: (context: VolumeContext, volume: string) => Promise<unknown>];

/** What is known when a step is done, and has to be known to the next process. */
interface Known {
  readonly exists: boolean;
  readonly held: boolean;
}

const steps: readonly (readonly [...Step, Known])[] = [
  ["create", ({ create }, volume) => create(volume), { exists: true, held: false }],
  ["mount", ({ mount }, volume) => mount(volume, "c1"), { exists: true, held: true }],
  ["mount-of-another", ({ mount }, volume) => mount(volume, "c2"), { exists: true, held: true }],
  ["unmount", ({ driver }, volume) => driver.unmount(volume, "c1"), { exists: true, held: true }],
  ["last-unmount", ({ driver }, volume) => driver.unmount(volume, "c2"), { exists: true, held: false }],
  ["remove", ({ driver }, volume) => driver.remove(volume), { exists: false, held: false }],
];

export const restartChecks: readonly VolumeCheck[] = steps.map(([name, , known], at): VolumeCheck => ({
  id: `restart/after-${name}`,
  title: `a plugin that is killed after ${name.replaceAll("-", " ")} knows what it knew, and goes on`,
  source: "kill(2) SIGKILL; moby/moby issue 22155; moosefs/docker-volume-moosefs issue 3",
  symptom: "After a crash or an update of the plugin, volumes are gone, cannot be removed, or lose a running user.",
  makes: "volumes, and new processes of the plugin",
  needs: restarts,
  async run(context) {
    const volume = context.newName();
    for (const [, run] of steps.slice(0, at + 1)) await run(context, volume);
    await context.killAndRestart?.();
    await assertKnown(context, volume, known);
    for (const [, run] of steps.slice(at + 1)) await run(context, volume);
  },
}));

async function assertKnown(context: VolumeContext, volume: string, { exists, held }: Known): Promise<void> {
  const { driver, refused } = context;
  const listed = (await driver.list()).filter(({ name }) => name === volume).length;
  equal(listed, exists ? 1 : 0, `list has it ${listed} times`);
  if (!exists) return refused(driver.get(volume), "NOT_FOUND", volume);
  equal((await driver.get(volume)).name, volume);
  if (!held) return;
  await refused(driver.remove(volume), "FAILED_PRECONDITION", volume);
  ok(isAbsolute((await driver.path(volume)) ?? ""), "has no path, although it is held");
}

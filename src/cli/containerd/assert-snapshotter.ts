import type { Containerd } from "../../containerd/index.ts";
import { CleatError } from "../../errors/index.ts";
import { adviseToStart } from "./advise-to-start.ts";

/** A containerd that is well answers at once; so does a plugin, which is given as long. */
const askDeadlineMs = 10_000;

/**
 * Before anything else is asked of containerd, and of a snapshotter.
 * @throws NOT_FOUND when the containerd that runs does not know it, UNAVAILABLE when none runs,
 * DEADLINE_EXCEEDED when it does not answer.
 */
export async function assertSnapshotter({ services }: Containerd, snapshotter: string): Promise<void> {
  const filters = ["type==io.containerd.snapshotter.v1"];
  const { plugins } = await services.introspection
    .plugins({ filters }, { timeoutMs: askDeadlineMs })
    .catch((error: unknown) => {
      throw adviseToStart(error, "containerd");
    });
  const names = plugins.map(({ id }) => id);
  if (names.includes(snapshotter)) return;
  const advice = "cleat config containerd --write, then restart containerd";
  throw new CleatError("NOT_FOUND", `containerd has no snapshotter ${JSON.stringify(snapshotter)}: ${advice}`);
}

import type { Containerd } from "../../containerd/index.ts";
import { CleatError } from "../../errors/index.ts";

/** Before anything is asked of a snapshotter. @throws NOT_FOUND when the containerd that runs does not know it. */
export async function assertSnapshotter({ services }: Containerd, snapshotter: string): Promise<void> {
  const { plugins } = await services.introspection.plugins({ filters: ["type==io.containerd.snapshotter.v1"] });
  const names = plugins.map(({ id }) => id);
  if (names.includes(snapshotter)) return;
  const advice = "cleat config containerd --write, then restart containerd";
  throw new CleatError("NOT_FOUND", `containerd has no snapshotter ${JSON.stringify(snapshotter)}: ${advice}`);
}

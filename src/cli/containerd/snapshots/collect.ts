import { randomBytes } from "node:crypto";
import { createLease } from "../../../containerd/index.ts";
import type { SnapshotterConnection } from "./connection.ts";

/**
 * Has containerd collect what nothing refers to, and waits for it. The collector visits a snapshotter only after
 * something was removed from it, so that a snapshot is made and removed in one namespace; with the end of a lease it
 * begins. Source: containerd v1.6.20 `metadata/db.go` GarbageCollect, `services/leases/local.go` Delete.
 */
export async function collectGarbage(connection: SnapshotterConnection): Promise<void> {
  // One that has lost its database has no namespace, and all of the snapshotter's is garbage to it.
  const { containerd, snapshots } = connection.namespaces[0] ?? connection.within("default");
  const key = `cleat-gc-${randomBytes(12).toString("hex")}`;
  const lease = await createLease(containerd, { expireMs: 60_000 });
  await snapshots.view(key, {});
  await snapshots.remove(key);
  await containerd.services.leases.delete({ id: lease, sync: true });
}

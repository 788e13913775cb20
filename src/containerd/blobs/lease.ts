import { randomBytes } from "node:crypto";
import type { CallOptions } from "../../protocol/index.ts";
import type { Containerd } from "../client.ts";

/**
 * When containerd forgets a lease by itself. Source: containerd v1.6.20 `metadata/gc.go`, `labelGCExpire`; RFC 3339.
 */
const expiryLabel = "containerd.io/gc.expire";

/**
 * A lease of the caller's own, which containerd forgets after `expireMs`; its id. What is made under it is safe from
 * the collector until then, whether or not whoever makes it lives to refer to it.
 */
export async function createLease(
  { services }: Containerd,
  { expireMs }: { readonly expireMs: number },
  call?: CallOptions,
): Promise<string> {
  const id = `cleat-${randomBytes(12).toString("hex")}`;
  const expiry = new Date(Date.now() + expireMs).toISOString();
  await services.leases.create({ id, labels: { [expiryLabel]: expiry } }, call);
  return id;
}

/** Runs `work` under a lease, which is given back after it, whatever becomes of it. */
export async function withLease<T>(
  containerd: Containerd,
  options: { readonly expireMs: number },
  work: (lease: string) => Promise<T>,
  call?: CallOptions,
): Promise<T> {
  const lease = await createLease(containerd, options, call);
  try {
    return await work(lease);
  } finally {
    // It expires by itself where containerd cannot be reached any more.
    await containerd.services.leases.delete({ id: lease }).catch(() => {});
  }
}

import { randomBytes } from "node:crypto";
import { type Containerd, leaseHeader } from "../../../containerd/index.ts";
import type { CallOptions } from "../../../protocol/index.ts";

/**
 * Where images go: a namespace of containerd's, a snapshotter, and the lease that keeps all of it until an image refers
 * to it.
 */
export interface ImportTarget {
  readonly containerd: Containerd;
  readonly snapshotter: string;
  readonly lease: string;
}

/** For calls that make something, which the lease then keeps. */
export function underLease({ lease }: ImportTarget): CallOptions & { readonly metadata: Record<string, string> } {
  return { metadata: { [leaseHeader]: lease } };
}

/**
 * The key of a snapshot to unpack a layer into, in the form by which snapshotters know that one is. Source: containerd
 * v1.6.20 `unpacker.go`, `UnpackKeyPrefix`, `UnpackKeyFormat`.
 */
export function unpackKey(chainId: string): string {
  return `extract-cleat-import-${randomBytes(9).toString("base64url")} ${chainId}`;
}

/** Which layer a snapshot is made for; it may have been unpacked already for somebody else. */
export const snapshotRefLabel = "containerd.io/snapshot.ref";

import { CleatError } from "../errors/index.ts";
import type { Labels, UpdateOptions } from "./snapshotter.ts";

/** The longest key of containerd's own store. Source: bbolt v1.3.6 `bucket.go`, MaxKeySize. */
const maxNameBytes = 32_768;

/** Source: containerd v1.6.20 `labels/validate.go`. */
const maxLabelBytes = 4_096;
/** So that what is answered about one snapshot fits into one message, whatever else is in it. */
const maxLabelsBytes = 1024 * 1024;

/** A name as messages show it: whatever is in it, and not all of a long one. */
export function quoteName(name: string): string {
  return JSON.stringify(name.length <= 200 ? name : `${name.slice(0, 200)}…`);
}

/** On the wire, and in containerd, an empty name is none. */
export function isGiven(name: string | undefined): name is string {
  return name !== undefined && name !== "";
}

/** Half of a pair of UTF-16, which UTF-8 cannot carry: behind a socket it would be another name. */
const halfCharacter = /\p{Surrogate}/u;

/** @throws INVALID_ARGUMENT when a key or name is empty, too long, no Unicode, or holds a NUL. */
export function assertName(name: string, what: "key" | "name" | "parent"): void {
  if (name === "") throw new CleatError("INVALID_ARGUMENT", `snapshot ${what} is empty`);
  if (name.includes("\0")) throw new CleatError("INVALID_ARGUMENT", `snapshot ${what} ${quoteName(name)} holds a NUL`);
  if (halfCharacter.test(name)) {
    throw new CleatError("INVALID_ARGUMENT", `snapshot ${what} ${quoteName(name)} is not Unicode`);
  }
  if (Buffer.byteLength(name) > maxNameBytes) {
    const message = `snapshot ${what} ${quoteName(name)} is longer than ${maxNameBytes} bytes`;
    throw new CleatError("INVALID_ARGUMENT", message);
  }
}

/** Labels as they are kept: without empty values. @throws INVALID_ARGUMENT when one is too long, or all of them are. */
export function toLabels(labels: Labels | undefined): Labels {
  if (labels === undefined) return {};
  let total = 0;
  const kept = Object.entries(labels).filter(([key, value]) => {
    if (halfCharacter.test(key) || halfCharacter.test(value)) {
      throw new CleatError("INVALID_ARGUMENT", `label ${JSON.stringify(key.slice(0, 64))} is not Unicode`);
    }
    const bytes = Buffer.byteLength(key) + Buffer.byteLength(value);
    if (bytes > maxLabelBytes) {
      const message = `label ${JSON.stringify(key.slice(0, 64))} and its value are longer than ${maxLabelBytes} bytes`;
      throw new CleatError("INVALID_ARGUMENT", message);
    }
    total += value === "" ? 0 : bytes;
    return value !== "";
  });
  if (total > maxLabelsBytes) {
    throw new CleatError("INVALID_ARGUMENT", `labels are longer than ${maxLabelsBytes} bytes together`);
  }
  return Object.fromEntries(kept);
}

/**
 * The labels of a snapshot after an update. Source: containerd v1.6.20 `snapshots/storage/bolt.go`, UpdateInfo.
 * @throws INVALID_ARGUMENT for a path of something that may not change.
 */
export function updateLabels(before: Labels, { labels, paths = [] }: UpdateOptions): Labels {
  if (paths.length === 0) return toLabels(labels);
  const updated = new Map(Object.entries(before));
  for (const path of paths) {
    if (path === "labels") {
      updated.clear();
      for (const [key, value] of Object.entries(labels)) updated.set(key, value);
    } else if (path.startsWith("labels.")) {
      const key = path.slice("labels.".length);
      updated.set(key, Object.hasOwn(labels, key) ? (labels[key] as string) : "");
    } else {
      const message = `field ${JSON.stringify(path.slice(0, 64))} of a snapshot cannot be updated, only its labels can`;
      throw new CleatError("INVALID_ARGUMENT", message);
    }
  }
  return toLabels(Object.fromEntries(updated));
}

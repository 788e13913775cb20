import { CleatError, quoteText } from "../../errors/index.ts";
import type { PublishFlags } from "../showing/publisher.ts";

/**
 * The flags of a published volume, as `mount` spells them; the last of several that contradict each other counts.
 * @throws INVALID_ARGUMENT for one that a folder cannot be shown with.
 */
export function toPublishFlags(mountFlags: readonly string[], readonly: boolean): PublishFlags {
  let flags: PublishFlags = { readonly: false, nosuid: false, nodev: false, noexec: false, accessTimes: undefined };
  for (const flag of mountFlags.flatMap((text) => text.split(","))) {
    const change = Object.hasOwn(changes, flag) ? changes[flag] : undefined;
    if (change === undefined) {
      const known = Object.keys(changes).join(", ");
      throw new CleatError("INVALID_ARGUMENT", `mount flag ${quoteText(flag)} is not one of ${known}`);
    }
    flags = { ...flags, ...change };
  }
  return readonly ? { ...flags, readonly } : flags;
}

const changes: Readonly<Record<string, Partial<PublishFlags>>> = {
  ro: { readonly: true },
  rw: { readonly: false },
  nosuid: { nosuid: true },
  suid: { nosuid: false },
  nodev: { nodev: true },
  dev: { nodev: false },
  noexec: { noexec: true },
  exec: { noexec: false },
  noatime: { accessTimes: "noatime" },
  relatime: { accessTimes: "relatime" },
  strictatime: { accessTimes: "strictatime" },
};

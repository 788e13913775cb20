/** The same where the kernel has no `openat2` (before Linux 5.6), or a filter forbids it. */
import { vi } from "vitest";

import { describeWith, needs } from "../../needs.ts";
import { defineBreakouts } from "./suite.ts";

vi.mock("../../../src/syscall/index.ts", async (original) => {
  const { SystemError } = await import("../../../src/errors/index.ts");
  const { errnos, ...calls } = await original<typeof import("../../../src/syscall/index.ts")>();
  const openat2 = (_: number, path: Uint8Array) => {
    throw new SystemError(errnos.ENOSYS, "openat2", path);
  };
  return { ...calls, errnos, openat2 };
});

describeWith([needs.root], "an archive that tries to break out, where only a walk confines names", defineBreakouts);

import type { Socket } from "node:net";
import { descriptorOf } from "../../transport/index.ts";

/** Who has connected, "process 812 (dockerd)", as far as the kernel tells: two engines may call one plugin. */
export type DescribeCaller = (engine: Socket) => string | undefined;

/**
 * Loads native code, which nobody waits for whose plugin is not there. A trace goes on without names where that code
 * does not run, or the process has no descriptor left to read with: engines call through it.
 */
export async function loadDescribeCaller(): Promise<DescribeCaller> {
  const native = await import("../../syscall/index.ts").catch(() => undefined);
  return (engine) => {
    const descriptor = descriptorOf(engine);
    if (native === undefined || descriptor === undefined) return undefined;
    try {
      const pid = native.peerProcess(descriptor);
      const found = pid === undefined ? undefined : native.readProcess(pid);
      return found === undefined ? undefined : native.describeProcess(found);
    } catch {
      return undefined;
    }
  };
}

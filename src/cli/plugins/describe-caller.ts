import type { Socket } from "node:net";
import { descriptorOf } from "../../transport/index.ts";

/** Who has connected, "process 812 (dockerd)", as far as the kernel tells: two engines may call one plugin. */
export type DescribeCaller = (engine: Socket) => string | undefined;

/** Loads native code, which nobody waits for whose plugin is not there. */
export async function loadDescribeCaller(): Promise<DescribeCaller> {
  const { describeProcess, peerProcess, readProcess } = await import("../../syscall/index.ts");
  return (engine) => {
    const descriptor = descriptorOf(engine);
    const pid = descriptor === undefined ? undefined : peerProcess(descriptor);
    const found = pid === undefined ? undefined : readProcess(pid);
    return found === undefined ? undefined : describeProcess(found);
  };
}

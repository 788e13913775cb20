import { CleatError, type ErrorCode, toCleatError } from "../../../errors/index.ts";
import { type MountRequest, mountFileSystem } from "../../mounting/mount-file-system.ts";

/** What a kernel's code means that speaks to a server; by itself it says no more than "permission denied". */
const meanings: Partial<Record<ErrorCode, string>> = {
  NOT_FOUND: "the server shares no such folder",
  PERMISSION_DENIED: "the server refuses this machine, or the user name and password",
  UNAVAILABLE: "the server does not answer",
  DEADLINE_EXCEEDED: "the server does not answer",
};

/** Mounts a share. @throws what `mountFileSystem` throws, in words of shares and servers. */
export async function mountShare(request: MountRequest): Promise<void> {
  try {
    await mountFileSystem(request);
  } catch (error) {
    if (request.signal?.aborted) throw error;
    const { code, message } = toCleatError(error);
    const meaning = meanings[code];
    if (meaning === undefined) throw error;
    throw new CleatError(code, `${meaning} (${request.type} "${request.source}": ${message})`, { cause: error });
  }
}

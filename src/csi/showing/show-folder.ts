/**
 * A program: shows a folder at another place, with all flags before anybody can see it there. mount(8) of util-linux 2.38
 * needs two steps for that, and between them a folder to be read-only is not. A process of its own, because a path may lie
 * on a server that is gone.
 *
 * Ends with status 1 and a sentence on standard error when it cannot.
 */
import { toCleatError } from "../../errors/index.ts";
import {
  cloneMount,
  close,
  mountAttributes,
  moveMount,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  openPath,
  setMountAttributes,
} from "../../syscall/index.ts";
import type { ShowRequest } from "./show-request.ts";

function show({ source, target, flags }: ShowRequest): void {
  const folder = openPath(source, O_PATH | O_DIRECTORY | O_CLOEXEC);
  const mounted = cloneMount(folder);
  const set = (["readonly", "nosuid", "nodev", "noexec"] as const)
    .filter((flag) => flags[flag])
    .reduce((attributes, flag) => attributes | mountAttributes[flag], 0n);
  setMountAttributes(mounted, set, flags.accessTimes && mountAttributes[flags.accessTimes]);
  moveMount(mounted, target);
  close(mounted);
}

try {
  show(JSON.parse(process.argv[2] as string) as ShowRequest);
} catch (error) {
  process.stderr.write(`${toCleatError(error, "cannot be shown").message}\n`);
  process.exitCode = 1;
}

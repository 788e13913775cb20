import { existsSync, readlinkSync, statSync } from "node:fs";
import { CleatError, isSystemError } from "../../../errors/index.ts";
import { resolveHome } from "./homes.ts";
import { visibilityOfMounts } from "./mount-visibility.ts";
import { describeProcess, isRunning, type ProcessIdentity, readIfShown } from "../../../syscall/index.ts";

/**
 * Makes sure that an engine finds at `home` what the driver makes there, and where the driver `mounts`, also that. What
 * this user may not know of the engine's process is not a failure.
 * @throws FAILED_PRECONDITION, naming what puts a service into mounts of its own.
 */
export function assertHomeSeen(engine: ProcessIdentity, home: string, mounts: boolean): void {
  if (!existsSync(home)) return; // a driver that keeps its layers elsewhere
  const path = resolveHome(home);
  const proc = `/proc/${engine.pid}`;
  const namespace = mountNamespaceOf(`${engine.pid}`);
  if (namespace === undefined) return;
  if (!isSameFolder(path, `${proc}/root${path}`, engine)) {
    throw refusal(`home "${path}" is another folder for the engine, ${describeProcess(engine)}, than for this plugin`);
  }
  if (!mounts || namespace === mountNamespaceOf("self")) return;
  const theirs = readIfShown(`${proc}/mountinfo`);
  const ours = readIfShown("/proc/self/mountinfo");
  if (theirs === undefined || ours === undefined || visibilityOfMounts(path, ours, theirs) !== "hidden") return;
  throw refusal(`home "${path}": the engine, ${describeProcess(engine)}, would not see what this plugin mounts there`);
}

/** Source: systemd.exec(5) of systemd 252, "Sandboxing" and "Paths". */
const settings = [
  "PrivateTmp=",
  "PrivateMounts=",
  "PrivateDevices=",
  "ProtectSystem=",
  "ProtectHome=",
  "ReadWritePaths=",
  "ReadOnlyPaths=",
  "BindPaths=",
  "TemporaryFileSystem=",
  "MountFlags=",
];

function refusal(what: string): CleatError {
  const remedy = `take ${settings.join(", ")} and the like out of the plugin's unit of systemd, then restart it`;
  return new CleatError("FAILED_PRECONDITION", `${what}, since each has mounts of its own: ${remedy}`);
}

/** What may not be looked at is taken for the same. */
function isSameFolder(ours: string, theirs: string, engine: ProcessIdentity): boolean {
  try {
    const [here, there] = [ours, theirs].map((path) => statSync(path, { bigint: true }));
    return here?.ino === there?.ino && here?.dev === there?.dev;
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return !isRunning(engine); // of one that has ended nothing is left
    if (isSystemError(error, "EACCES", "EPERM", "ESRCH")) return true;
    throw error;
  }
}

function mountNamespaceOf(process: string): string | undefined {
  try {
    return readlinkSync(`/proc/${process}/ns/mnt`);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ESRCH", "EACCES", "EPERM")) return undefined;
    throw error;
  }
}

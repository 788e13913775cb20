import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { CleatError } from "../../errors/index.ts";

/** What stands in the folder of a stand-in (`stand-in.ts`). */
export const ownName = "own";
export const pluginName = "plugin";

export interface Guardian {
  /** Has the plugin's socket put back, and waits for that. May be called twice. */
  restore(): Promise<void>;
}

/**
 * Puts a plugin's socket back in its place when this process ends, however it does: `kill -9` too closes the pipe that
 * the guardian reads from. It is a process of its own session, which signals from a terminal or to this process's group
 * do not reach, and a shell, because there is little to do and a second Node takes 40 MB. What has been put at `path`
 * since is somebody else's and left alone; a path that is free gets the plugin's socket back, if there is one.
 * @throws FAILED_PRECONDITION when there is no shell to run it.
 */
export async function startGuardian(path: string, folder: string): Promise<Guardian> {
  const child = spawn("/bin/sh", ["-c", script, "cleat-trace-guardian", path, folder], {
    cwd: "/",
    detached: true,
    stdio: ["pipe", "pipe", "ignore"],
  });
  const failed = once(child, "error").then(([error]) => Promise.reject(error as Error));
  const ended = once(child, "exit");
  try {
    await Promise.race([once(child.stdout, "data"), failed, ended.then(() => Promise.reject(new Error("it ended")))]);
  } catch (error) {
    const message = `socket "${path}" cannot be guarded, to be put back whatever happens: ${(error as Error).message}`;
    throw new CleatError("FAILED_PRECONDITION", message, { cause: error });
  }
  failed.catch(() => {}); // it runs
  child.stdin.on("error", () => {}); // somebody has killed it
  letGo(child);
  return {
    async restore() {
      child.ref();
      child.stdin.end();
      if (child.exitCode === null && child.signalCode === null) await ended;
    },
  };
}

/** It must not keep this process from ending. */
function letGo(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stdout]) (stream as unknown as { unref(): void }).unref();
}

/** `-ef` compares inodes; that of our own socket is not used again while its name in the folder is there. */
const script = `
trap '' HUP INT TERM QUIT
path=$1 folder=$2
echo ready
read -r nothing
if [ "$path" -ef "$folder/${ownName}" ]; then
  if [ -S "$folder/${pluginName}" ]; then mv -f "$folder/${pluginName}" "$path"; else rm -f "$path"; fi
elif [ -S "$folder/${pluginName}" ]; then
  ln "$folder/${pluginName}" "$path"
fi
rm -rf "$folder"
`;

import { open, rm } from "node:fs/promises";
import type { Namespace } from "../namespaces/namespace.ts";

/** What Docker binds into every managed plugin. Source: moby v20.10.24 `plugin/v2/plugin_linux.go`, `InitSpec`. */
const boundFiles = ["/etc/hosts", "/etc/resolv.conf"];

/** Makes those files that a small root lacks; they go again, since a release's root is every test's. */
export async function makeBoundFiles(namespace: Namespace): Promise<AsyncDisposable> {
  const made: string[] = [];
  for (const path of boundFiles.map((file) => namespace.reach(file))) {
    const file = await open(path, "wx").catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
      return undefined;
    });
    if (file === undefined) continue;
    await file.close();
    made.push(path);
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const path of made) await rm(path, { force: true });
    },
  };
}

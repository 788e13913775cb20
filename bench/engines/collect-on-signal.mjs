/**
 * Loaded before Cleat: collects garbage on SIGUSR2, and writes what is left, in bytes, to the file that COLLECTED
 * names.
 */
import { renameSync, writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
  // Workers would not start with the flag on the command line.
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  process.on("SIGUSR2", async () => {
    // What finalizers have let go of is free after another one.
    for (let times = 0; times < 3; times++) {
      collect();
      await new Promise(setImmediate);
    }
    const { COLLECTED: path } = process.env;
    writeFileSync(`${path}.new`, String(process.memoryUsage().heapUsed));
    renameSync(`${path}.new`, path);
  });
}

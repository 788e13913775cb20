import { join } from "node:path";

import type { CheckResult } from "cleat/testing";

import { runWithPrivateMounts } from "../graphdriver/private-mounts.ts";
import type { Subject } from "./subjects.ts";

/** As the kit's, with the error as text. */
export type KitResult = Omit<CheckResult, "error"> & { readonly error?: string };

/** A run of the kit on a subject, in a process and a mount namespace of its own. */
export interface KitRun {
  /** The result of a check, as soon as it is there. Begins the run. Rejects when that ends without it. */
  resultOf(id: string): Promise<KitResult>;
  /** Kills what still runs, and waits for its end. */
  end(): Promise<void>;
}

const program = join(import.meta.dirname, "kit-process.mjs");

export function createKitRun(subject: Subject): KitRun {
  const { title, driver, opener, fileSystem, abilities, expectedFailures } = subject;
  const request = { driver, opener, abilities, expectedFailures };
  const killing = new AbortController();
  const results = new Map<string, KitResult>();
  const waiters: (() => void)[] = [];
  let run: Promise<void> | undefined;
  let failure: unknown;

  const wake = () => waiters.splice(0).forEach((waiter) => waiter());
  const begin = async () => {
    const command = (folder: string) => [process.execPath, program, JSON.stringify({ ...request, folder })];
    const onLine = (line: string) => {
      const result = JSON.parse(line) as KitResult;
      results.set(result.id, result);
      wake();
    };
    try {
      await runWithPrivateMounts(command, { fileSystem, signal: killing.signal, onLine });
      failure = new Error(`the kit on ${title} ended without that check`);
    } catch (error) {
      failure = error;
    }
    wake();
  };

  return {
    async resultOf(id) {
      run ??= begin();
      for (;;) {
        const result = results.get(id);
        if (result !== undefined) return result;
        if (failure !== undefined) throw failure;
        await new Promise<void>((resolve) => waiters.push(resolve));
      }
    },
    async end() {
      killing.abort();
      await run;
    },
  };
}

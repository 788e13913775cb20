import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { atNight, rowTimeoutMs } from "./test/night.ts";
import { LongestFirst } from "./test/order/longest-first.ts";
import { ClosingLine } from "./test/reporter/closing-line.ts";

/**
 * Tiers that mount, or start engines and other programs, run after everything else, together: each file has mounts,
 * processes and network of its own, and waits much of its time for what it starts or killed.
 */
const afterwards = {
  testTimeout: rowTimeoutMs,
  hookTimeout: rowTimeoutMs,
  maxWorkers: 3,
  pool: "forks" as const,
  sequence: { groupOrder: 1 },
};

/** Of all of them one is left to vitest itself otherwise, which on two processors leaves one idle. */
const maxWorkers = availableParallelism();

export default defineConfig({
  test: {
    maxWorkers,
    sequence: { sequencer: LongestFirst },
    restoreMocks: true,
    setupFiles: [join(import.meta.dirname, "test/patience.ts")],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 10_000 } },
    reporters: ["default", new ClosingLine()],
    projects: [
      { extends: true, test: { name: "unit", include: ["src/**/*.test.ts", "test/golden/**/*.test.ts"] } },
      { extends: true, test: { name: "checks", include: ["test/checks/**/*.test.ts"] } },
      { extends: true, test: { name: "package", include: ["test/package/**/*.test.ts"] } },
      {
        extends: true,
        test: {
          name: "kernel",
          include: ["test/kernel/**/*.test.ts"],
          exclude: atNight
            ? []
            : [
                "test/kernel/arm64/arm64.test.ts",
                "test/kernel/graphdriver/sizes.test.ts",
                "test/kernel/graphdriver/kit-faults.test.ts",
                "test/kernel/volumes/sizes/sizes.test.ts",
                "test/kernel/volumes/shares/shares.test.ts",
              ],
          ...afterwards,
        },
      },
      {
        extends: true,
        test: {
          name: "interop",
          include: ["test/interop/**/*.test.ts"],
          ...afterwards,
        },
      },
      {
        extends: true,
        test: {
          name: "engine",
          include: ["test/engine/**/*.test.ts"],
          exclude: atNight
            ? []
            : [
                "graphdriver/sizes-overlay2",
                "snapshotter/cri",
                "stores/import-docker",
                "plugins/secrets",
                "plugins/metrics",
                "plugins/managed-plugin",
                "graphdriver/killed-loads",
              ].map((name) => `test/engine/${name}.test.ts`),
          ...afterwards,
        },
      },
    ],
  },
});

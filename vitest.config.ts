import { defineConfig } from "vitest/config";
import { atNight } from "./test/night.ts";
import { ClosingLine } from "./test/reporter/closing-line.ts";

/**
 * Tiers that mount, or start engines and other programs, run after everything else, and no
 * more files of them at a time.
 */
const alone = (groupOrder: number, files = 1) => ({
  fileParallelism: files > 1,
  maxWorkers: files,
  pool: "forks" as const,
  sequence: { groupOrder },
});

export default defineConfig({
  test: {
    restoreMocks: true,
    testTimeout: 30_000,
    reporters: ["default", new ClosingLine()],
    projects: [
      { extends: true, test: { name: "unit", include: ["src/**/*.test.ts", "test/golden/**/*.test.ts"] } },
      { extends: true, test: { name: "checks", include: ["test/checks/**/*.test.ts"], testTimeout: 60_000 } },
      { extends: true, test: { name: "package", include: ["test/package/**/*.test.ts"], testTimeout: 60_000 } },
      {
        extends: true,
        test: {
          name: "kernel",
          include: ["test/kernel/**/*.test.ts"],
          exclude: atNight
            ? []
            : [
                "test/kernel/arm64.test.ts",
                "test/kernel/graphdriver-sizes.test.ts",
                "test/kernel/graphdriver-kit-faults.test.ts",
                "test/kernel/volume-sizes.test.ts",
                "test/kernel/volume-shares.test.ts",
              ],
          testTimeout: 180_000,
          // Each has mounts of its own, and some of its time is waiting for what it killed or starts.
          ...alone(1, 2),
        },
      },
      {
        extends: true,
        test: {
          name: "interop",
          include: ["test/interop/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          ...alone(2),
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
                "sizes-overlay2",
                "snapshotter-cri",
                "import-docker",
                "secrets",
                "metrics",
                "managed-plugin",
                "killed-loads",
              ].map((name) => `test/engine/${name}.test.ts`),
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Each has mounts, processes and network of its own, and much of its time is engines' own waiting.
          ...alone(3, 3),
        },
      },
    ],
  },
});

import { defineConfig } from "vitest/config";
import { atNight } from "./test/night.ts";
import { ClosingLine } from "./test/reporter/closing-line.ts";

/** Tiers that mount, or start engines and other programs, run one file after another and after everything else. */
const alone = (groupOrder: number) => ({ fileParallelism: false, pool: "forks" as const, sequence: { groupOrder } });

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
          exclude: atNight ? [] : ["test/kernel/graphdriver-sizes.test.ts"],
          testTimeout: 180_000,
          ...alone(1),
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
          exclude: atNight ? [] : ["test/engine/sizes-overlay2.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          ...alone(3),
          // Each has mounts, processes and network of its own, and much of its time is engines' own waiting.
          fileParallelism: true,
          maxWorkers: 2,
        },
      },
    ],
  },
});

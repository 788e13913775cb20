import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Volume, VolumeDriver } from "../../volume/index.ts";
import { usageOf } from "./du.ts";

const usage = (volume: Omit<Volume, "name">) =>
  usageOf("data", { get: async () => ({ name: "data", ...volume }) } as Partial<VolumeDriver> as VolumeDriver);
const unknown = { usedBytes: undefined, sizeBytes: undefined };

it("is what the driver tells, and else counted", async () => {
  const mountpoint = await mkdtemp(join(tmpdir(), "cleat-du-"));
  const told = { UsedBytes: 7, SizeBytes: 9 };
  expect(await usage({ mountpoint: "/nowhere", status: told })).toEqual({ usedBytes: 7, sizeBytes: 9 });
  expect(await usage({ mountpoint })).toEqual({ usedBytes: expect.any(Number), sizeBytes: undefined });
  expect(await usage({})).toEqual(unknown);
  await rm(mountpoint, { recursive: true });
});

it("is unknown, and nothing touches the files, where the driver could not tell: their server may be gone", async () => {
  const status = { Usage: "gave no answer within 1 s" };
  expect(await usage({ mountpoint: "/nowhere", status })).toEqual(unknown);
});

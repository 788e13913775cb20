/** Volumes of a type that the driver had once. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openManagedVolumes, textOption } from "../index.ts";
import type { ManagedVolume } from "./volume-backend.ts";

it("lists one whose type is not known any more with a note and no option's value, and lets it be", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cleat-volumes-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const plain = { options: {}, mount: async (volume: ManagedVolume) => volume.folder };
  const gone = { ...plain, options: { label: textOption() }, usage: async () => undefined };
  const first = await openManagedVolumes({ name: "test", folder, types: { plain, gone } });
  await first.create("a", { options: { type: "plain" } });
  await first.create("b", { options: { type: "gone", label: "x" } });
  await first.close();

  const driver = await openManagedVolumes({ name: "test", folder, types: { plain } });
  onTestFinished(() => driver.close());
  const note = 'volumes of type "gone" are not known here any more';
  const status = { Type: "gone", Options: { label: "***" }, Note: note, Mounts: 0 };
  const listed = await driver.list();
  expect(listed.map((volume) => volume.status)).toEqual([{ Type: "plain", Options: {}, Mounts: 0 }, status]);
  for (const call of [driver.mount("b", "c"), driver.remove("b")]) {
    await expect(call).rejects.toMatchObject({ code: "FAILED_PRECONDITION", message: expect.stringContaining(note) });
  }
  expect(await driver.get("b")).toMatchObject({ name: "b", mountpoint: undefined, status }); // and not half removed
});

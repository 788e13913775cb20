/** What one reads of `cleat volumes restore` where its archive is none. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { openManagedVolumes } from "../../volumedrivers/index.ts";
import { cleat, folder } from "../run.test.support.ts";

let root: string;
beforeEach(async () => {
  root = join(folder, "volumes");
  await mkdir(root);
  const volumes = await openManagedVolumes({ name: "cleat", folder: root, options: {}, mount: async () => {} });
  await volumes.close();
});

const restore = (input: string) => cleat(["volumes", "restore", "data", "--root", root, "--input", input]);

it("names a file that is not there", async () => {
  const input = join(folder, "none.tar");
  expect(await restore(input)).toEqual({ code: 1, out: "", err: `cleat: there is no file "${input}"\n` });
});

it("names a folder that was given for an archive", async () => {
  const err = `cleat: "${folder}" is a folder, and no archive that backup wrote\n`;
  expect(await restore(folder)).toEqual({ code: 1, out: "", err });
});

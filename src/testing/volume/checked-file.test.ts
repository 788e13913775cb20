import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { VolumeDriver } from "../../volume/index.ts";
import { volumeDriverChecks } from "./checks/index.ts";
import { readChecked, writeChecked } from "./checked-file.ts";
import { runVolumeDriverKit } from "./kit.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-checked-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Every volume of it is the same folder. */
function oneFolder(path: string): VolumeDriver {
  return {
    name: "one",
    capabilities: async () => ({ scope: "local" }),
    create: async () => {},
    list: async () => [],
    get: async (name) => ({ name, mountpoint: path }),
    remove: async () => {},
    path: async () => path,
    mount: async () => path,
    unmount: async () => {},
    close: async () => {},
  };
}

it("checks overwrite nothing that a plugin leads them to, and leave nothing", async () => {
  const [victim, shown] = [join(folder, "victim"), join(folder, "shown")];
  await writeFile(victim, "precious");
  execFileSync("mkdir", [shown]);
  await symlink(victim, join(shown, "cleat-check"));
  const only = volumeDriverChecks.map(({ id }) => id).filter((id) => id.startsWith("files/"));
  await runVolumeDriverKit({ open: async () => oneFolder(shown), only });
  expect(await readFile(victim, "utf8")).toBe("precious");
  expect(await readdir(shown)).toEqual(["cleat-check"]);
});

it("is read as it was written, and gone in the end", async () => {
  {
    await using file = await writeChecked(folder, "text");
    expect(await readChecked(folder, file.name)).toBe("text");
  }
  expect(await readdir(folder)).toEqual([]);
});

it("is not waited for where a pipe is in its place, nor followed where a link is", async () => {
  execFileSync("mkfifo", [join(folder, "pipe")]);
  expect(await readChecked(folder, "pipe")).toBe("");
  await symlink("/dev/zero", join(folder, "link"));
  await expect(readChecked(folder, "link")).rejects.toMatchObject({ code: "ELOOP" });
});

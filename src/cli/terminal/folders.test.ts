import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findLocations, socketFolderToServeIn } from "./default-folders.ts";
import { isPrivate } from "./private-folder.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("a folder of one user's alone", () => {
  const uid = process.getuid?.() ?? 0;

  it("is the user's, and closed to all others", async () => {
    expect(await isPrivate(folder, uid)).toBe(true);
    expect(await isPrivate(folder, uid + 1)).toBe(false);
    for (const mode of [0o755, 0o710, 0o701, 0o1777]) {
      await chmod(folder, mode);
      expect(await isPrivate(folder, uid)).toBe(false);
    }
  });

  it("is not a file, not a link, and there", async () => {
    await mkdir(join(folder, "real"), { mode: 0o700 });
    await symlink("real", join(folder, "link"));
    await writeFile(join(folder, "file"), "", { mode: 0o600 });
    for (const name of ["link", "file", "missing"]) expect(await isPrivate(join(folder, name), uid)).toBe(false);
  });
});

describe("where plugins are looked for", () => {
  it("is not a folder in /tmp that anybody could have made, or nobody has", async () => {
    const uid = 2_000_000_000 + process.pid;
    const own = `/tmp/cleat-${uid}`;
    expect((await findLocations({ uid, env: {} })).sockets).toEqual(["/run/docker/plugins"]);
    await mkdir(own, { mode: 0o755 });
    try {
      expect((await findLocations({ uid, env: {} })).sockets).toEqual(["/run/docker/plugins"]);
    } finally {
      await rm(own, { recursive: true });
    }
  });

  it("is not in /tmp for users who have a runtime folder, nor for root", async () => {
    expect((await findLocations({ uid: 1000, env: { XDG_RUNTIME_DIR: "/run/user/1000" } })).sockets).toEqual([
      "/run/user/1000/docker/plugins",
      "/run/docker/plugins",
    ]);
    expect((await findLocations({ uid: 0, env: {} })).sockets).toEqual(["/run/docker/plugins"]);
  });
});

it("does not serve from a folder in /tmp that is another user's", async () => {
  const uid = 3_999_999_999;
  await mkdir(`/tmp/cleat-${uid}`);
  try {
    await expect(socketFolderToServeIn({ uid, env: {} })).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  } finally {
    await rm(`/tmp/cleat-${uid}`, { recursive: true });
  }
});

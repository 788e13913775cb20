import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, link, lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { clientOf, folder, path, start } from "../serve.test.support.ts";

/** A socket file on which nobody listens, as a killed process leaves it. */
async function leaveStaleSocket(): Promise<void> {
  await mkdir(join(folder, "plugins"), { recursive: true });
  const server = createServer().listen(`${path}.bound`);
  await once(server, "listening");
  await link(`${path}.bound`, path);
  server.close();
  await once(server, "close");
}

describe("a unix socket", () => {
  it("is made with its folder and its mode, and nothing else is left", async () => {
    await start({ listen: { unix: path, mode: 0o660 } });
    expect((await lstat(path)).mode & 0o777).toBe(0o660);
    expect((await lstat(join(folder, "plugins"))).mode & 0o777).toBe(0o755);
    expect(await readdir(join(folder, "plugins"))).toEqual(["p.sock"]);
  });

  it("belongs to its user only, unless told otherwise", async () => {
    await start();
    expect((await lstat(path)).mode & 0o777).toBe(0o600);
  });

  it.skipIf(process.getuid?.() !== 0)("is given to owner and group (needs root)", async () => {
    await start({ listen: { unix: path, owner: 12, group: 34 } });
    expect(await lstat(path)).toMatchObject({ uid: 12, gid: 34 });
  });

  it.skipIf(!existsSync("/proc/self"))("is refused where no folder can be made for it, at once", async () => {
    await expect(start({ listen: { unix: "/proc/cleat/y.sock" } })).rejects.toMatchObject({
      message: expect.stringMatching(/^socket "\/proc\/cleat\/y\.sock": ENOENT/),
    });
  });

  it("replaces a stale one", async () => {
    await leaveStaleSocket();
    const plugin = await start();
    expect(await clientOf(plugin.address).wait({})).toEqual({ Text: "done" });
  });

  it("is refused where another process listens, which goes on listening", async () => {
    const first = await start();
    const before = await lstat(path);
    await expect(start()).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: `socket "${path}": another process listens on it; stop it first, or take another socket`,
    });
    expect((await lstat(path)).ino).toBe(before.ino);
    expect(await clientOf(first.address).wait({})).toEqual({ Text: "done" });
  });

  it.each([
    ["a regular file", () => writeFile(path, "precious")],
    ["a folder", () => mkdir(path)],
    ["a symbolic link", () => symlink("/nowhere", path)],
  ])("never replaces %s", async (_what, make) => {
    await mkdir(join(folder, "plugins"));
    await make();
    const before = await lstat(path);
    await expect(start()).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringContaining("not a socket"),
    });
    expect((await lstat(path)).ino).toBe(before.ino);
    expect(await readdir(join(folder, "plugins"))).toEqual(["p.sock"]);
  });

  it("has one winner when several start at once on a stale one", async () => {
    await leaveStaleSocket();
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => start()));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await clientOf(`unix://${path}`).wait({})).toEqual({ Text: "done" });
  });

  it.each(["relative.sock", `/${"x".repeat(120)}/p.sock`])("path %s is refused with a reason", async (unix) => {
    await expect(start({ listen: { unix } })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(/is not absolute|bytes too long/),
    });
  });

  it("is removed on close, but not when somebody else has replaced it", async () => {
    const first = await start();
    await first.close();
    expect(existsSync(path)).toBe(false);
    const second = await start();
    await rm(path);
    await writeFile(path, "somebody else's");
    await second.close();
    expect(await readFile(path, "utf8")).toBe("somebody else's");
  });

  it("says that it may not see who listens on the one that is there", async () => {
    const root = process.geteuid?.() === 0;
    await start();
    await chmod(path, 0);
    await chmod(folder, 0o755);
    if (root) process.seteuid?.(65_534);
    try {
      await expect(start()).rejects.toMatchObject({
        code: "PERMISSION_DENIED",
        message: expect.stringContaining(`socket "${path}" is there, and this user may not open it`),
      });
    } finally {
      if (root) process.seteuid?.(0);
    }
  });

  it("says which path may not be written", async () => {
    const root = process.geteuid?.() === 0;
    await chmod(folder, 0o555);
    if (root) process.seteuid?.(65_534);
    try {
      await expect(start()).rejects.toMatchObject({
        code: "PERMISSION_DENIED",
        message: expect.stringContaining(`socket "${path}": EACCES: permission denied, mkdir`),
      });
    } finally {
      if (root) process.seteuid?.(0);
      await chmod(folder, 0o700);
    }
  });
});

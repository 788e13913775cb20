import { execFileSync } from "node:child_process";
import { mkdir, rename, rm, symlink } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { PluginNotFoundError } from "../../../errors/index.ts";
import { createDiscovery } from "../discovery.ts";
import { asOrdinaryUser, at, close, forbid, listen, locations, write } from "../discovery.test.support.ts";

const find = (name: string) => createDiscovery(locations).find(name);
const failureOf = async (name: string) => await find(name).catch((error: unknown) => error as PluginNotFoundError);

/** Every candidate for the name "p", best first, below `root`. */
const candidates = [
  "run/p.sock",
  "run/p/p.sock",
  ...["etc", "lib"].flatMap((folder) =>
    ["p.spec", "p/p.spec", "p.json", "p/p.json"].map((file) => `${folder}/${file}`),
  ),
];

describe("a look-up by name", () => {
  it("says which paths it tries, in the order of precedence", async () => {
    const paths = candidates.map((path) => at(path));
    expect(createDiscovery(locations).pathsOf("p")).toEqual(paths);
    const failure = await failureOf("p");
    expect(failure).toBeInstanceOf(PluginNotFoundError);
    expect(failure).toMatchObject({ code: "NOT_FOUND", pathsTried: paths });
    expect(failure).not.toHaveProperty("cause");
  });

  it("takes the first that is there, as moby does", async () => {
    const remove: (() => Promise<unknown>)[] = [];
    for (const path of candidates) {
      if (path.endsWith(".sock")) {
        const server = await listen(at(path));
        remove.push(() => close(server));
      } else {
        const content = path.endsWith(".spec") ? "tcp://127.0.0.1:1\n" : '{"Addr":"tcp://127.0.0.1:1"}';
        await write(at(path), content);
        remove.push(() => rm(at(path)));
      }
    }
    const found: string[] = [];
    for (const removeBest of remove) {
      found.push((await find("p")).path);
      await removeBest();
    }
    expect(found).toEqual(candidates.map((path) => at(path)));
    await expect(find("p")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("looks into each folder of sockets before the next", async () => {
    await listen(at("system/p.sock"));
    await listen(at("own/p/p.sock"));
    const { find: findIn } = createDiscovery({ sockets: [at("own"), at("system")], specs: [] });
    expect((await findIn("p")).path).toBe(at("own/p/p.sock"));
  });

  it.each(["../../tmp/x", "..", ".", "", "a/b", "/etc/passwd", "a\0b", ".p", "-p", "p\n", "x".repeat(65)])(
    "never makes a path of %j (U6)",
    async (name) => {
      await listen(at("tmp/x.sock"));
      await expect(find(name)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      expect(() => createDiscovery(locations).pathsOf(name)).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT" }),
      );
    },
  );

  it("gives absolute addresses also for relative folders", async () => {
    const discovery = createDiscovery({ sockets: ["run", "./run"], specs: ["etc/../etc"] });
    expect(discovery.locations).toEqual({ sockets: [`${process.cwd()}/run`], specs: [`${process.cwd()}/etc`] });
  });
});

describe("a socket", () => {
  it("is found as it stands, without speaking to it", async () => {
    const server = await listen(at("run/p.sock"));
    server.on("connection", () => expect.unreachable());
    expect(await find("p")).toEqual({
      name: "p",
      path: at("run/p.sock"),
      address: { unix: at("run/p.sock") },
      tls: undefined,
      identity: expect.stringMatching(/^unix:\/\/.*p\.sock \d+:\d+:\d+$/),
    });
  });

  it.each([
    ["to the socket", "elsewhere/x.sock", "run/p.sock"],
    ["to its folder", "elsewhere", "run/p"],
  ])("is found through a symbolic link %s", async (_, target, link) => {
    await listen(at("elsewhere/x.sock"));
    await listen(at("elsewhere/p.sock"));
    await symlink(at(target), at(link));
    expect((await find("p")).address).toEqual({ unix: at(link.endsWith(".sock") ? link : `${link}/p.sock`) });
  });

  it.each([
    ["a regular file", () => write(at("run/p.sock"), "")],
    ["a folder", () => mkdir(at("run/p.sock"))],
    ["a link that leads nowhere", () => symlink(at("nowhere"), at("run/p.sock"))],
    ["a link to itself", () => symlink(at("run/p.sock"), at("run/p.sock"))],
    ["a file in the place of its folder", () => write(at("run/p"), "")],
    ["a FIFO", async () => execFileSync("mkfifo", [at("run/p.sock")])],
  ])("is not %s, which is passed over", async (_, make) => {
    await make();
    const failure = await failureOf("p");
    expect(failure).toMatchObject({ code: "NOT_FOUND" });
    expect(failure).not.toHaveProperty("cause");
    await write(at("lib/p.spec"), "tcp://127.0.0.1:1");
    expect((await find("p")).path).toBe(at("lib/p.spec"));
  });

  it("whose path would be cut off on its way to the kernel is refused", async () => {
    const folder = at("x".repeat(100));
    await listen(at("p.sock"));
    await mkdir(folder);
    await rename(at("p.sock"), `${folder}/p.sock`);
    const failure = createDiscovery({ sockets: [folder], specs: [] }).find("p");
    await expect(failure).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("too long for the kernel"),
    });
  });
});

describe("a folder that may not be read", () => {
  it("hides what is in it, and the look-up goes on", async () => {
    await listen(at("run/p.sock"));
    await forbid(at("run"));
    await write(at("etc/p.spec"), "tcp://127.0.0.1:1");
    expect((await asOrdinaryUser(() => find("p"))).path).toBe(at("etc/p.spec"));
  });

  it("is not taken for an absence", async () => {
    await forbid(at("run"));
    const failure = await asOrdinaryUser(() => failureOf("p"));
    expect(failure).toMatchObject({
      name: "TransportError",
      code: "PERMISSION_DENIED",
      message: `plugin "p" may be there, but "${at("run/p.sock")}" may not be looked at: EACCES: permission denied`,
      reachedPeer: false,
      cause: { errors: [{ code: "EACCES" }, { code: "EACCES" }] },
    });
  });
});

import { execFileSync } from "node:child_process";
import { chmod, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { silentLogger } from "../../transport/index.ts";
import { createDiscovery } from "./discovery.ts";
import { asOrdinaryUser, at, forbid, listen, locations, root, write } from "./discovery.test.support.ts";

/** What a scan finds, as "name: path below the root" or "name! code". */
async function scan(options?: Parameters<typeof createDiscovery>[1]): Promise<string[]> {
  const found = await createDiscovery(locations, options).scan();
  return found.map((one) => {
    return "error" in one ? `${one.name}! ${one.error.code}` : `${one.name}: ${one.path.slice(root.length + 1)}`;
  });
}

describe("a scan", () => {
  it("lists every plugin there is, by name", async () => {
    await listen(at("run/z.sock"));
    await listen(at("run/b/b.sock"));
    await write(at("etc/a.b.spec"), "tcp://127.0.0.1:1");
    await write(at("etc/c/c.json"), '{"Addr":"tcp://127.0.0.1:1"}');
    await write(at("lib/d/d.spec"), "tcp://127.0.0.1:1");
    expect(await scan()).toEqual([
      "a.b: etc/a.b.spec",
      "b: run/b/b.sock",
      "c: etc/c/c.json",
      "d: lib/d/d.spec",
      "z: run/z.sock",
    ]);
  });

  it("is empty where there are no folders, or files in their place", async () => {
    await rm(at("run"), { recursive: true });
    await rm(at("etc"), { recursive: true });
    await write(at("etc"), "a file");
    const warnings: unknown[] = [];
    expect(await scan({ logger: { ...silentLogger, warn: (fields) => warnings.push(fields) } })).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it("lists a name once, with what a look-up finds", async () => {
    await listen(at("run/p.sock"));
    await listen(at("run/p/p.sock"));
    await write(at("etc/p.spec"), "broken");
    await write(at("lib/p/p.json"), "broken");
    expect(await scan()).toEqual(["p: run/p.sock"]);
    await rm(at("run/p.sock"));
    expect(await scan()).toEqual(["p: run/p/p.sock"]);
    await rm(at("run/p"), { recursive: true });
    expect(await scan()).toEqual(["p! INVALID_ARGUMENT"]);
  });

  it("does not list a symbolic link to a socket, which is but another name", async () => {
    await listen(at("run/p.sock"));
    await symlink(at("run/p.sock"), at("run/alias.sock"));
    expect(await scan()).toEqual(["p: run/p.sock"]);
    expect(await createDiscovery(locations).find("alias")).toMatchObject({ path: at("run/alias.sock") });
    await write(at("run/alias/alias.sock"), "no socket");
    expect(await scan()).toEqual(["p: run/p.sock"]);
  });

  it("follows one inside the plugin's own folder, as moby does, and one to a spec file", async () => {
    await listen(at("elsewhere/x.sock"));
    await mkdir(at("run/p"));
    await symlink(at("elsewhere/x.sock"), at("run/p/p.sock"));
    await symlink(await write(at("elsewhere/q"), "tcp://127.0.0.1:1"), at("etc/q.spec"));
    expect(await scan()).toEqual(["p: run/p/p.sock", "q: etc/q.spec"]);
  });

  it("shows what a look-up finds also where a link hides the file that tells of it", async () => {
    await listen(at("elsewhere/x.sock"));
    await symlink(at("elsewhere/x.sock"), at("run/p.sock"));
    await write(at("etc/p.spec"), "tcp://127.0.0.1:1");
    expect(await scan()).toEqual(["p: run/p.sock"]);
  });

  it("passes over what no look-up would find", async () => {
    await listen(at("run/p.socket"));
    await listen(at("run/-p.sock"));
    await listen(at("run/.p.sock"));
    await listen(at("run/.p/.p.sock"));
    await listen(at("run/q/other.sock"));
    await mkdir(at("run/r.sock"));
    await write(at("run/s.sock"), "replaced by a file");
    await symlink(at("nowhere"), at("run/t.sock"));
    await symlink(at("run/q"), at("run/other"));
    await writeFile(Buffer.concat([Buffer.from(at("etc/p")), Buffer.from([0xff]), Buffer.from(".spec")]), "not UTF-8");
    await mkdir(at("etc/p.spec"));
    await symlink(at("nowhere"), at("etc/q.spec"));
    await write(at("etc/r.conf"), "tcp://127.0.0.1:1");
    await write(at("etc/s.spec.tmp"), "tcp://127.0.0.1:1");
    await write(at("etc/t/other.spec"), "tcp://127.0.0.1:1");
    expect(await scan()).toEqual([]);
  });

  it("reports what is broken, which breaks nothing else", async () => {
    execFileSync("mkfifo", [at("etc/fifo.spec")]);
    await write(at("etc/empty.json"), "");
    await forbid(await write(at("etc/secret.spec"), "tcp://127.0.0.1:1"));
    await listen(at("run/well.sock"));
    expect(await asOrdinaryUser(() => scan())).toEqual([
      "empty! INVALID_ARGUMENT",
      "fifo! INVALID_ARGUMENT",
      "secret! PERMISSION_DENIED",
      "well: run/well.sock",
    ]);
    const broken = (await createDiscovery(locations).scan()).find(({ name }) => name === "empty");
    expect(broken).toMatchObject({ name: "empty", path: at("etc/empty.json") });
  });

  it("reports what may be listed and not looked at", async () => {
    await listen(at("run/p.sock"));
    await chmod(at("run"), 0o644);
    const found = await asOrdinaryUser(() => createDiscovery(locations).scan());
    await chmod(at("run"), 0o755);
    expect(found).toMatchObject([{ name: "p", path: at("run/p.sock"), error: { code: "PERMISSION_DENIED" } }]);
  });

  it("logs once which folders may not be read, and goes on", async () => {
    await listen(at("run/well.sock"));
    await listen(at("run/nested/nested.sock"));
    await forbid(at("run/nested"));
    await forbid(at("etc"));
    const warnings: unknown[] = [];
    const logger = { ...silentLogger, warn: (fields: object) => warnings.push(fields) };
    const discovery = createDiscovery(locations, { logger });
    await asOrdinaryUser(() => discovery.scan());
    const found = await asOrdinaryUser(() => discovery.scan());
    expect(found).toMatchObject([{ name: "well" }]);
    expect(warnings).toMatchObject([
      { folder: at("run/nested"), err: { code: "EACCES" } },
      { folder: at("etc"), err: { code: "EACCES" } },
    ]);
  });

  it("of very many plugins holds few files open, and takes each name from its own file", async () => {
    const names = Array.from({ length: 500 }, (_, index) => `p${String(index).padStart(4, "0")}`);
    for (const [index, name] of names.entries()) await write(at(`etc/${name}.spec`), `tcp://127.0.0.1:${index + 1}`);
    const before = (await readdir("/proc/self/fd")).length;
    const done = new AbortController();
    const scanning = createDiscovery(locations)
      .scan()
      .finally(() => done.abort());
    let mostOpen = 0;
    while (!done.signal.aborted) mostOpen = Math.max(mostOpen, (await readdir("/proc/self/fd")).length - before);
    const found = await scanning;
    expect(mostOpen).toBeLessThan(40);
    const ports = found.map((one) => [one.name, "address" in one && "tcp" in one.address && one.address.tcp.port]);
    expect(ports).toEqual(names.map((name, index) => [name, index + 1]));
  });
});

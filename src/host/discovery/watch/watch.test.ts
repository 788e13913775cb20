import { EventEmitter, getEventListeners } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rename, rm, symlink, unlink } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { createDiscovery } from "../discovery.ts";
import { asOrdinaryUser, at, close, forbid, listen, locations, write } from "../discovery.test.support.ts";
import { watchPlugins } from "./watch.ts";
import { startWatch, withDeadline } from "./watch.test.support.ts";

describe("a watch", () => {
  it("begins with what is there, broken ones too", async () => {
    await listen(at("run/a.sock"));
    await write(at("etc/b.spec"), "");
    await using watching = startWatch();
    expect([await watching.next(), await watching.next()]).toEqual([
      "appeared a run/a.sock",
      "appeared b INVALID_ARGUMENT",
    ]);
  });

  it("tells of sockets that come, are made again, and go", async () => {
    await using watching = startWatch();
    const first = watching.next();
    const server = await listen(at("run/p.sock"));
    expect(await first).toBe("appeared p run/p.sock");
    const second = watching.next();
    await listen(at("p.new"));
    await rename(at("p.new"), at("run/p.sock"));
    expect(await second).toBe("changed p run/p.sock");
    const third = watching.next();
    await unlink(at("run/p.sock"));
    expect(await third).toBe("disappeared p");
    await close(server);
  });

  it("tells of spec files that are completed, changed and removed", async () => {
    await write(at("etc/p.spec"), "");
    await using watching = startWatch();
    expect(await watching.next()).toBe("appeared p INVALID_ARGUMENT");
    await write(at("etc/p.spec"), "tcp://127.0.0.1:1");
    expect(await watching.next()).toBe("changed p etc/p.spec");
    await write(at("etc/p.spec"), "tcp://127.0.0.1:2");
    expect(await watching.next()).toBe("changed p etc/p.spec");
    await listen(at("run/p.sock"));
    expect(await watching.next()).toBe("changed p run/p.sock");
    await unlink(at("run/p.sock"));
    expect(await watching.next()).toBe("changed p etc/p.spec");
    await rm(at("etc/p.spec"));
    expect(await watching.next()).toBe("disappeared p");
  });

  it("says nothing of what changes nothing", async () => {
    await listen(at("run/p.sock"));
    await write(at("etc/q.spec"), "tcp://127.0.0.1:1");
    await using watching = startWatch();
    await watching.until({ p: "run/p.sock", q: "etc/q.spec" });
    const next = watching.next();
    await chmod(at("run/p.sock"), 0o600);
    await write(at("etc/q.spec"), "tcp://127.0.0.1:1\n");
    await write(at("etc/other.tmp"), "");
    await listen(at("run/last.sock"));
    expect(await next).toBe("appeared last run/last.sock");
  });

  it("sees into the plugins' own folders, also those that are made later", async () => {
    await mkdir(at("run/p"));
    await using watching = startWatch();
    await listen(at("run/p/p.sock"));
    expect(await watching.next()).toBe("appeared p run/p/p.sock");
    await write(at("etc/q/q.spec"), "tcp://127.0.0.1:1");
    expect(await watching.next()).toBe("appeared q etc/q/q.spec");
    await write(at("etc/q/q.spec"), "tcp://127.0.0.1:2");
    expect(await watching.next()).toBe("changed q etc/q/q.spec");
    await rm(at("etc/q"), { recursive: true });
    expect(await watching.next()).toBe("disappeared q");
    await mkdir(at("etc/q"));
    await write(at("etc/q/q.json"), '{"Addr":"tcp://127.0.0.1:1"}');
    await watching.until({ p: "run/p/p.sock", q: "etc/q/q.json" });
  });

  it("waits for a socket of which a spec tells, wherever that is", async () => {
    await write(at("etc/p.spec"), `unix://${at("far/away/s")}`);
    await using watching = startWatch();
    expect(await watching.next()).toBe("appeared p etc/p.spec");
    const made = watching.next();
    const server = await listen(at("far/away/s"));
    expect(await made).toBe("changed p etc/p.spec");
    const removed = watching.next();
    await close(server);
    expect(await removed).toBe("changed p etc/p.spec");
  });

  it("sees a spec file change to which a symbolic link leads", async () => {
    await symlink(await write(at("elsewhere/x"), "tcp://127.0.0.1:1"), at("etc/p.spec"));
    await using watching = startWatch();
    expect(await watching.next()).toBe("appeared p etc/p.spec");
    await write(at("elsewhere/x"), "tcp://127.0.0.1:2");
    expect(await watching.next()).toBe("changed p etc/p.spec");
  });
});

describe("a folder that is watched", () => {
  it("may be made later, with those above it", async () => {
    const discovery = createDiscovery({ sockets: [at("a/b/c/plugins")], specs: [] });
    await using watching = startWatch(discovery);
    for (const times of [1, 2]) {
      const next = watching.next();
      await listen(at("a/b/c/plugins/p.sock"));
      expect(await next, String(times)).toBe("appeared p a/b/c/plugins/p.sock");
      await rm(at("a"), { recursive: true });
      expect(await watching.next(), String(times)).toBe("disappeared p");
    }
  });

  it("may be replaced by another, at any height", async () => {
    await using watching = startWatch(createDiscovery({ sockets: [at("a/b/c/plugins")], specs: [] }));
    await listen(at("a/b/c/plugins/p.sock"));
    expect(await watching.next()).toBe("appeared p a/b/c/plugins/p.sock");
    await listen(at("n/b/c/plugins/q.sock"));
    await rename(at("a"), at("old"));
    await rename(at("n"), at("a"));
    await watching.until({ q: "a/b/c/plugins/q.sock" });
    await listen(at("a/b/c/plugins/r.sock"));
    await watching.until({ q: "a/b/c/plugins/q.sock", r: "a/b/c/plugins/r.sock" });
  });

  it("may be a symbolic link that is turned elsewhere", async () => {
    await listen(at("one/p.sock"));
    await listen(at("two/q.sock"));
    await symlink(at("one"), at("link"));
    await using watching = startWatch(createDiscovery({ sockets: [at("link")], specs: [] }));
    expect(await watching.next()).toBe("appeared p link/p.sock");
    await symlink(at("two"), at("link.new"));
    await rename(at("link.new"), at("link"));
    await watching.until({ q: "link/q.sock" });
    await listen(at("two/r.sock"));
    await watching.until({ q: "link/q.sock", r: "link/r.sock" });
  });

  it("may become readable later", async () => {
    await listen(at("run/p.sock"));
    await forbid(at("run"));
    await listen(at("extra/q.sock"));
    await asOrdinaryUser(async () => {
      await using watching = startWatch(createDiscovery({ sockets: [at("run"), at("extra")], specs: [] }));
      expect(await watching.next()).toBe("appeared q extra/q.sock");
      process.seteuid?.(process.getuid?.() ?? 0);
      await chmod(at("run"), 0o755);
      expect(await watching.next()).toBe("appeared p run/p.sock");
    });
  });
});

describe("a race", () => {
  it("of making, replacing and removing ends in what is there", async () => {
    await using watching = startWatch();
    for (let times = 0; times < 200; times++) {
      const server = await listen(at("run/p.sock"));
      await write(at("etc/q.spec"), `tcp://127.0.0.1:${times}`);
      await write(at("lib/r/r.spec"), `tcp://127.0.0.1:${times}`);
      await rm(at("lib/r"), { recursive: true });
      await close(server);
      await rm(at("etc/q.spec"));
    }
    await write(at("etc/p.spec"), "tcp://127.0.0.1:1");
    await listen(at("run/last.sock"));
    await watching.until({ last: "run/last.sock", p: "etc/p.spec" });
  });

  it("of folders that come and go ends in what is there", async () => {
    await using watching = startWatch();
    for (let times = 0; times < 100; times++) {
      await write(at("run/p/x"), "");
      await rm(at("run"), { recursive: true });
      await mkdir(at("run"));
    }
    await listen(at("run/p/p.sock"));
    await watching.until({ p: "run/p/p.sock" });
  });

  it("with folders that come as fast as others are watched is run to its end", async () => {
    let newest = at("run");
    let made = 0;
    const watchFolder = (folder: string) => {
      if (folder === newest) {
        made += 1;
        newest = at(`run/n${made}`);
        if (made <= 10) mkdirSync(newest);
        else writeFileSync(at("etc/p.spec"), "tcp://127.0.0.1:1");
      }
      return Object.assign(new EventEmitter(), { close() {} });
    };
    const iterator = watchPlugins(locations, { onUnreadable: () => {}, watchFolder });
    const { value } = await withDeadline(iterator.next(), () => "the plugin that came last");
    expect(value).toMatchObject({ kind: "appeared", name: "p" });
    await iterator.return?.();
  });

  it("tells a slow reader the last state only", async () => {
    await write(at("etc/p.spec"), "tcp://127.0.0.1:1");
    await write(at("etc/q.spec"), "tcp://127.0.0.1:1");
    await using watching = startWatch();
    await using other = startWatch();
    expect(await watching.next()).toBe("appeared p etc/p.spec");
    await other.until({ p: "etc/p.spec", q: "etc/q.spec" });
    for (const port of [2, 3, 4]) {
      await write(at("etc/p.spec"), `tcp://127.0.0.1:${port}`);
      expect(await other.next()).toBe("changed p etc/p.spec");
    }
    await rm(at("etc/q.spec"));
    await write(at("etc/r.spec"), "tcp://127.0.0.1:1");
    await other.until({ p: "etc/p.spec", r: "etc/r.spec" });
    await watching.until({ p: "etc/p.spec", r: "etc/r.spec" });
  });
});

describe("the end of a watch", () => {
  const inotifyWatches = async () => {
    const infos = (await readdir("/proc/self/fd")).map((fd) => `/proc/self/fdinfo/${fd}`);
    const texts = await Promise.all(infos.map((path) => readFile(path, "utf8").catch(() => ""))); // closed meanwhile
    return texts.join("").match(/^inotify wd/gm)?.length ?? 0;
  };

  it("comes with the signal, also for who waits, and leaves nothing", async () => {
    const before = await inotifyWatches();
    const abort = new AbortController();
    await listen(at("run/p.sock"));
    const seen: string[] = [];
    for await (const { name } of createDiscovery(locations).watch({ signal: abort.signal })) {
      seen.push(name);
      expect(await inotifyWatches()).toBeGreaterThan(before);
      setImmediate(() => abort.abort());
    }
    expect(seen).toEqual(["p"]);
    expect(await inotifyWatches()).toBe(before);
  });

  it("comes at once when the signal was aborted before", async () => {
    await listen(at("run/p.sock"));
    const iterator = createDiscovery(locations).watch({ signal: AbortSignal.abort() })[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it("comes when the loop is left, and for whoever else waits", async () => {
    const before = await inotifyWatches();
    await listen(at("run/p.sock"));
    for await (const change of createDiscovery(locations).watch()) {
      expect(change.name).toBe("p");
      break;
    }
    const iterator = createDiscovery(locations).watch()[Symbol.asyncIterator]();
    expect(await iterator.next()).toMatchObject({ value: { name: "p" } });
    const waiting = [iterator.next(), iterator.next()];
    await iterator.return?.();
    const ends = await withDeadline(Promise.all([...waiting, iterator.next()]), () => "the end");
    expect(ends).toEqual([1, 2, 3].map(() => ({ done: true, value: undefined })));
    expect(await inotifyWatches()).toBe(before);
  });

  it("leaves nothing on a signal that lives longer", async () => {
    const { signal } = new AbortController();
    await listen(at("run/p.sock"));
    for await (const _ of createDiscovery(locations).watch({ signal })) break;
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("comes with a clear error when the kernel grants no more watches", async () => {
    const full = () => {
      throw Object.assign(new Error("ENOSPC: System limit"), { code: "ENOSPC", syscall: "watch", errno: -28 });
    };
    const iterator = watchPlugins(locations, { onUnreadable: () => {}, watchFolder: full });
    await expect(iterator.next()).rejects.toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      message: expect.stringMatching(/^folder ".*" cannot be watched: .* raise fs.inotify.max_user_watches$/),
    });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });
});

import { EventEmitter } from "node:events";
import { mkdir, rename, rm } from "node:fs/promises";
import { describe, expect, it, vi } from "vitest";
import { at } from "../discovery.test.support.ts";
import { createFolderWatchers } from "./folder-watchers.ts";
import type { Interest } from "./interests.ts";

type Listener = (event: "rename" | "change", file: string | null) => void;

/** Watchers whose events the test makes. */
function createFakes(fail?: (folder: string) => Error | undefined) {
  const open = new Map<string, { tell: Listener; emitter: EventEmitter }>();
  const onEvent = vi.fn<() => void>();
  const onUnreadable = vi.fn<(folder: string, error: Error) => void>();
  const watchers = createFolderWatchers({
    onEvent,
    onUnreadable,
    watchFolder(folder, tell) {
      const failure = fail?.(folder);
      if (failure !== undefined) throw failure;
      const emitter = new EventEmitter();
      open.set(folder, { tell, emitter });
      return Object.assign(emitter, { close: () => void open.delete(folder) });
    },
  });
  return { watchers, open, onEvent, onUnreadable };
}

const systemError = (code: string) => Object.assign(new Error(code), { code, syscall: "watch", errno: -1 });
const interests = (...rows: [string, Interest][]) => new Map(rows);

describe("folders that are followed", () => {
  it("are watched once, as long as they are wanted and there", async () => {
    const { watchers, open } = createFakes();
    const both = interests([at("run"), "all"], [at("etc"), "all"]);
    expect(await watchers.follow(both)).toBe(true);
    expect(await watchers.follow(both)).toBe(false);
    expect([...open.keys()]).toEqual([at("run"), at("etc")]);
    expect(await watchers.follow(interests([at("run"), "all"], [at("none"), "all"]))).toBe(false);
    expect([...open.keys()]).toEqual([at("run")]);
    await rm(at("run"), { recursive: true });
    expect(await watchers.follow(both)).toBe(true);
    expect([...open.keys()]).toEqual([at("etc")]);
  });

  it("are watched anew when another folder has taken their place", async () => {
    const { watchers } = createFakes();
    const only = interests([at("run"), "all"]);
    await watchers.follow(only);
    await mkdir(at("new"));
    await rename(at("run"), at("old"));
    await rename(at("new"), at("run"));
    expect(await watchers.follow(only)).toBe(true);
    expect(await watchers.follow(only)).toBe(false);
  });

  it("are watched anew when they may have gone, or the watch has failed", async () => {
    const { watchers, open, onEvent } = createFakes();
    const only = interests([at("run"), "all"]);
    await watchers.follow(only);
    open.get(at("run"))?.tell("rename", "run");
    expect(onEvent).toHaveBeenCalledTimes(1);
    expect(await watchers.follow(only)).toBe(true);
    open.get(at("run"))?.emitter.emit("error", systemError("EIO"));
    expect(onEvent).toHaveBeenCalledTimes(2);
    expect(await watchers.follow(only)).toBe(true);
    expect(open.size).toBe(1);
  });

  it("are not watched after the end, also when it came meanwhile", async () => {
    const { watchers, open } = createFakes();
    const following = watchers.follow(interests([at("run"), "all"]));
    watchers.close();
    expect(await following).toBe(false);
    expect(await watchers.follow(interests([at("run"), "all"]))).toBe(false);
    expect(open.size).toBe(0);
    watchers.close();
  });
});

describe("events", () => {
  it("count when they are of interest", async () => {
    const { watchers, open, onEvent } = createFakes();
    await watchers.follow(interests([at("run"), new Set(["p", "q"])], [at("etc"), "all"]));
    const tell = (folder: string, event: "rename" | "change", file: string | null) => {
      onEvent.mockClear();
      open.get(at(folder))?.tell(event, file);
      return onEvent.mock.calls.length;
    };
    expect(tell("run", "rename", "p")).toBe(1);
    expect(tell("run", "change", "q")).toBe(1);
    expect(tell("run", "rename", "other")).toBe(0);
    expect(tell("run", "change", "run")).toBe(1);
    expect(tell("run", "rename", null)).toBe(1);
    expect(tell("etc", "change", "other")).toBe(1);
    await watchers.follow(interests([at("run"), new Set(["other"])]));
    expect(tell("run", "rename", "other")).toBe(1);
    expect(tell("run", "rename", "p")).toBe(0);
  });

  it("that are so many that some may have been lost count once, whatever they tell of", async () => {
    const { watchers, open, onEvent } = createFakes();
    await watchers.follow(interests([at("run"), new Set(["p"])]));
    for (let times = 0; times < 20_000; times++) open.get(at("run"))?.tell("change", "other");
    expect(onEvent).toHaveBeenCalledTimes(1);
    await new Promise(setImmediate);
    for (let times = 0; times < 1_000; times++) open.get(at("run"))?.tell("change", "other");
    expect(onEvent).toHaveBeenCalledTimes(1);
  });
});

describe("a folder that cannot be watched", () => {
  it.each([
    ["ENOSPC", "RESOURCE_EXHAUSTED", "raise fs.inotify.max_user_watches"],
    ["EMFILE", "RESOURCE_EXHAUSTED", "raise fs.inotify.max_user_instances or the limit of open files"],
    ["ENOMEM", "RESOURCE_EXHAUSTED", "ENOMEM"],
    ["EIO", "DATA_LOSS", "EIO"],
  ])("for %s is an error", async (code, expected, message) => {
    const { watchers } = createFakes(() => systemError(code));
    await expect(watchers.follow(interests([at("run"), "all"]))).rejects.toMatchObject({
      code: expected,
      message: expect.stringMatching(new RegExp(`^folder "${at("run")}" cannot be watched: .*${message}$`)),
    });
  });

  it("because it may not be read, or has gone, takes nothing from the others", async () => {
    const { watchers, open, onUnreadable } = createFakes((folder) => {
      if (folder === at("run") || folder === at()) return systemError("EACCES");
      return folder === at("lib") ? systemError("ENOENT") : undefined;
    });
    const all = interests([at(), new Set(["run"])], [at("run"), "all"], [at("lib"), "all"], [at("etc"), "all"]);
    expect(await watchers.follow(all)).toBe(true);
    expect(await watchers.follow(all)).toBe(false);
    expect([...open.keys()]).toEqual([at("etc")]);
    expect(onUnreadable.mock.calls.map(([folder]) => folder)).toEqual([at("run"), at("run")]);
  });
});

/**
 * Hosts of one process that share an etcd in memory. With a real one, and real mounts: test/kernel/volumes/global.mjs.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { CleatError } from "../../errors/index.ts";
import { openStore } from "../../state/index.ts";
import { bootId } from "../../syscall/index.ts";
import { textOption, type VolumeBackend } from "../index.ts";
import { volumeTables } from "../managed/volume-record.ts";
import { createMemoryEtcd, type MemoryEtcd } from "./memory-etcd.test.support.ts";
import { type GlobalVolumes, openSharedVolumes, type SharedVolumesOptions } from "./open-global-volumes.ts";

let folder: string;
let etcd: MemoryEtcd;
const open = new Set<GlobalVolumes>();
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-global-"));
  etcd = createMemoryEtcd();
});
afterEach(async () => {
  etcd.before = () => {};
  for (const host of open) await host.close();
  open.clear();
  await rm(folder, { recursive: true });
});

const options = { label: textOption().optional() };
const single = { options: { type: "disk", access: "single" } };
const uses = () => etcd.keys("/cleat/test/uses/");

/** Mounts nothing, which is said by `told`. */
async function start(
  name: string,
  { backend = {}, ...more }: { backend?: Partial<VolumeBackend> } & Partial<SharedVolumesOptions> = {},
): Promise<GlobalVolumes> {
  const disk: VolumeBackend = {
    options,
    mount: async (volume) => volume.folder,
    unmount: async () => {},
    ...backend,
  } as VolumeBackend;
  const host = await openSharedVolumes(etcd, {
    name: "test",
    folder: join(folder, name),
    hostName: name,
    types: { disk },
    lookMs: 20,
    ...more,
  });
  open.add(host);
  return host;
}

/** Ends a mount that was begun. */
function createGate() {
  let opened = () => {};
  let entered = () => {};
  const gate = new Promise<void>((resolve) => (opened = resolve));
  const reached = new Promise<void>((resolve) => (entered = resolve));
  return { reached, open: () => opened(), pass: () => (entered(), gate) };
}

it.each(["create", "remove", "resize"])(
  "are none of a type with %j, which would be called by each host",
  async (method) => {
    const wrong = { backend: { [method]: async () => ({}) } };
    await expect(start("a", wrong)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: `volumes of type "disk" cannot be shared by hosts: each would call its "${method}"`,
    });
    const otherTypes = { options, mount: async () => {}, [method]: async () => ({}) } as unknown as VolumeBackend;
    await expect(start("a", { otherTypes })).rejects.toThrow(/^volumes of other types cannot be shared/);
  },
);

/** As long as the watch takes to look at everything at least once. */
async function looked(): Promise<void> {
  await asked("list", 6);
}

/** Waits until etcd was asked that so often. */
async function asked(wanted: keyof MemoryEtcd, times: number): Promise<void> {
  let count = 0;
  const { before } = etcd;
  etcd.before = (request, subject) => {
    if (request === wanted) count++;
    return before(request, subject);
  };
  await vi.waitFor(() => expect(count).toBeGreaterThanOrEqual(times), { timeout: 10_000, interval: 5 });
  etcd.before = before;
}

it("are whole on a host that has not met them yet, and not copied", async () => {
  const a = await start("a");
  const b = await start("b");
  await a.create("data", single);
  for (const host of [a, b]) {
    expect(host.isWhole("data")).toBe(true);
    expect(() => host.copyOptions("data")).toThrow(expect.objectContaining({ code: "UNIMPLEMENTED" }));
  }
});

it("keep a volume whose mount goes on when its caller has given up", async () => {
  const gate = createGate();
  const a = await start("a", { backend: { mount: async (volume) => (await gate.pass(), volume.folder) } });
  const b = await start("b");
  await a.create("data", single);
  const caller = new AbortController();
  const mounting = a.mount("data", "c", { signal: caller.signal });
  await gate.reached;
  caller.abort();
  await expect(mounting).rejects.toMatchObject({ code: "CANCELLED" });
  await looked();
  await expect(b.mount("data", "c")).rejects.toMatchObject({ message: expect.stringMatching(/in use by host "a"/) });
  gate.open();
  await a.mount("data", "c");
  await a.unmount("data", "c");
  await b.mount("data", "c");
});

it("keep a volume whose failed mount cannot be cleaned up, and give it back when it can", async () => {
  let isBusy = true;
  const a = await start("a", {
    backend: {
      mount: async () => {
        throw new Error("no such disk");
      },
      unmount: async () => {
        if (isBusy) throw new CleatError("FAILED_PRECONDITION", "target is busy");
      },
    },
  });
  const b = await start("b");
  await a.create("data", single);
  await expect(a.mount("data", "c")).rejects.toThrow(/no such disk/);
  await looked();
  await expect(b.mount("data", "c")).rejects.toThrow(/in use by host "a"/);
  isBusy = false;
  await vi.waitFor(() => b.mount("data", "c"), { timeout: 10_000 });
});

it("are asked for anew where a mount that is held has gone from the kernel", async () => {
  let mounts = 0;
  const local = join(folder, "a/local");
  const a = await start("a");
  await a.create("data", single);
  await a.close();
  open.delete(a);
  const store = await openStore({ folder: join(local, "state"), tables: volumeTables });
  const path = join(local, "mounts/data");
  await store.tables.mounts.put("data", { holders: ["c"], path, isMount: true, boot: bootId() });
  await store.close();
  const b = await start("b");
  await b.mount("data", "c");
  const again = await start("a", { backend: { mount: async (volume) => (mounts++, volume.folder) } });
  await expect(again.mount("data", "d")).rejects.toThrow(/in use by host "b"/);
  expect(mounts).toBe(0);
});

it("are heard from while a volume of theirs is busy for long", async () => {
  const gate = createGate();
  const mount = async (volume: { folder: string }) => (await gate.pass(), volume.folder);
  const a = await start("a", { heardMs: 10, backend: { mount } });
  await a.create("data", single);
  const mounting = a.mount("data", "c");
  await gate.reached;
  await asked("keepLease", 100);
  gate.open();
  await mounting;
});

it("give back what they have not, and what of it fails holds nothing else up", async () => {
  const a = await start("a");
  const b = await start("b", { lookMs: 1e6 });
  for (const name of ["bad", "data"]) await a.create(name, single);
  const refusing = (suffix: RegExp) => (request: keyof MemoryEtcd, subject: string) => {
    if (request === "change" && suffix.test(subject)) throw new CleatError("UNAVAILABLE", "etcd does not answer");
  };
  for (const name of ["bad", "data"]) await a.mount(name, "c");
  etcd.before = refusing(/\/uses\//);
  for (const name of ["bad", "data"]) await a.unmount(name, "c");
  expect(uses()).toHaveLength(2);
  etcd.before = refusing(/\/uses\/bad\//);
  await vi.waitFor(() => b.mount("data", "c"), { timeout: 5_000 });
  expect(uses()).toHaveLength(2);
});

it("have no holder that was told that its time is over", async () => {
  const a = await start("a");
  const b = await start("b");
  await a.create("data", single);
  const gate = createGate();
  etcd.before = (request, subject) => (request === "change" && /\/uses\//.test(subject) ? gate.pass() : undefined);
  const mounting = expect(a.mount("data", "c", { timeoutMs: 50 })).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  await gate.reached;
  await mounting;
  etcd.before = () => {};
  gate.open();
  await vi.waitFor(() => b.mount("data", "c"), { timeout: 5_000 });
  expect(a.holders("data")).toEqual([]);
});

it("have no holder who gave up when he had it already, unless he held it before", async () => {
  const a = await start("a");
  const b = await start("b");
  await a.create("data", single);
  const giveUpLate = async () => {
    const caller = new AbortController();
    const onStep = (said: unknown) => {
      if ((said as { step: string }).step === "mount: acknowledged") caller.abort();
    };
    subscribe("cleat:volumes", onStep);
    await expect(a.mount("data", "c", { signal: caller.signal })).rejects.toMatchObject({ code: "CANCELLED" });
    unsubscribe("cleat:volumes", onStep);
  };
  await a.mount("data", "c");
  await giveUpLate();
  expect(a.holders("data")).toEqual(["c"]);
  await a.unmount("data", "c");
  await giveUpLate();
  await vi.waitFor(() => b.mount("data", "c"), { timeout: 5_000 });
  expect(a.holders("data")).toEqual([]);
});

it("keep a volume, and let nobody remove it, while they have files of it that its server has not", async () => {
  let isUnsent = false;
  const assertRemovable = async () => {
    if (isUnsent) throw new CleatError("FAILED_PRECONDITION", "files are not sent yet");
  };
  const a = await start("a", { backend: { assertRemovable } });
  const b = await start("b");
  await a.create("data", single);
  await a.mount("data", "c");
  isUnsent = true;
  await a.unmount("data", "c");
  await looked();
  for (const call of [b.mount("data", "c"), b.remove("data")]) await expect(call).rejects.toThrow(/in use by host "a"/);
  await expect(a.remove("data")).rejects.toThrow(/files are not sent yet/);
  expect((await b.list()).map(({ name }) => name)).toEqual(["data"]);
  await a.mount("data", "c");
  isUnsent = false;
  await a.unmount("data", "c");
  await b.mount("data", "c");
  await b.unmount("data", "c");
  await a.remove("data");
  expect(await b.list()).toEqual([]);
});

it("ask etcd after a restart before they mount for more containers, and are refused what another has", async () => {
  const before = await start("a");
  await before.create("data", single);
  await before.mount("data", "c");
  await before.close();
  open.delete(before);
  etcd.before = () => {
    throw new CleatError("UNAVAILABLE", "etcd does not answer");
  };
  const a = await start("a");
  await expect(a.mount("data", "d")).rejects.toMatchObject({ code: "UNAVAILABLE" });
  etcd.before = () => {};
  await a.mount("data", "d");
  etcd.before = () => {
    throw new CleatError("UNAVAILABLE", "etcd does not answer");
  };
  await a.mount("data", "e"); // known to be this host's
  expect(a.holders("data")).toEqual(["c", "d", "e"]);
});

it("are refused after a restart what was given to another meanwhile", async () => {
  const before = await start("a");
  await before.create("data", single);
  await before.mount("data", "c");
  await before.close();
  open.delete(before);
  const [host = "", entry] = [...etcd.entries].find(([key]) => key.startsWith("/cleat/test/hosts/")) ?? [];
  const b = await start("b");
  etcd.expire(entry?.lease ?? "");
  await b.unlock("data", host.slice(host.lastIndexOf("/") + 1));
  await b.mount("data", "c");
  const a = await start("a", { lookMs: 1e6 });
  await expect(a.mount("data", "d")).rejects.toThrow(/in use by host "b"/);
});

it("list what can be read where a record is damaged", async () => {
  const a = await start("a");
  await a.create("data", single);
  await etcd.change([], [{ put: "/cleat/test/volumes/bad", value: "{" }]);
  expect((await a.list()).map(({ name }) => name)).toEqual(["data"]);
  await expect(a.get("bad")).rejects.toMatchObject({ code: "DATA_LOSS" });
  await expect(a.create("bad", single)).rejects.toMatchObject({ code: "DATA_LOSS" });
});

it("send nothing of before over what another wrote to whom the volume was given meanwhile", async () => {
  let isUnsent = false;
  const assertRemovable = async () => {
    if (isUnsent) throw new CleatError("FAILED_PRECONDITION", "files are not sent yet");
  };
  const a = await start("a", { backend: { assertRemovable } });
  await a.create("data", single);
  await a.mount("data", "c");
  isUnsent = true;
  await a.unmount("data", "c");
  await a.mount("data", "c"); // its own still
  await a.unmount("data", "c");
  const [use = ""] = uses();
  await etcd.change([], [{ delete: use }]); // as `unlock` does while a is not heard from
  await expect(a.mount("data", "c")).rejects.toMatchObject({
    code: "FAILED_PRECONDITION",
    message: expect.stringMatching(/would send them over newer ones/),
  });
  expect(uses()).toEqual([]);
});

it("say nothing of volumes of which etcd and the host agree, and leave nothing behind of each look", async () => {
  const told: unknown[] = [];
  const tell = (...words: unknown[]): void => void told.push(words);
  process.on("warning", tell);
  const host = await start("a", { logger: { debug() {}, info() {}, warn: tell, error: tell } });
  await host.create("data", single);
  await host.mount("data", "one");
  let looks = 0;
  etcd.before = () => void looks++;
  await vi.waitFor(() => expect(looks).toBeGreaterThan(60), 20_000);
  process.off("warning", tell);
  expect(told).toEqual([]);
});

import { execFile } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { describe, expect, it, vi } from "vitest";
import { createMemoryStorage, createPlaces, type Places } from "../conformance/memory-storage.test.support.ts";
import { openSnapshotter } from "../store/open-snapshotter.ts";
import type { Snapshotter } from "../snapshotter.ts";

interface Root extends AsyncDisposable {
  readonly path: string;
  readonly journal: string;
  readonly places: Places;
  readonly warnings: { fields: Record<string, unknown>; message: string }[];
  open(needsParents?: boolean): Promise<Snapshotter>;
}

async function makeRoot(): Promise<Root> {
  const folder = await mkdtemp(join(tmpdir(), "cleat-snapshots-"));
  const path = join(folder, "records");
  const places = createPlaces();
  const warnings: Root["warnings"] = [];
  const warn = (fields: object, message: string) =>
    void warnings.push({ fields: fields as Record<string, unknown>, message });
  const logger = { debug() {}, info() {}, warn, error() {} };
  return {
    path,
    journal: join(path, "records"),
    places,
    warnings,
    open: (needsParents = true) =>
      openSnapshotter({ root: path, storage: createMemoryStorage(places, { rebase: true, needsParents }), logger }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

/** A committed "base", and "app" on it, and "c1" on that. */
async function fill(snapshotter: Snapshotter): Promise<void> {
  await snapshotter.prepare("k1", {});
  await snapshotter.commit("base", "k1", {});
  await snapshotter.prepare("k2", { parent: "base" });
  await snapshotter.commit("app", "k2", {});
  await snapshotter.prepare("c1", { parent: "app" });
}

async function namesIn(snapshotter: Snapshotter, filters?: readonly string[]): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of snapshotter.list(filters)) names.push(name);
  return names.toSorted();
}

function line(value: object): string {
  const text = JSON.stringify(value);
  return `${crc32(text).toString(16).padStart(8, "0")} ${text}\n`;
}

describe("records that are opened again", () => {
  it("serve no snapshot whose files contradict themselves, nor what lies on it", async () => {
    await using root = await makeRoot();
    const first = await root.open();
    await fill(first);
    await first.close();
    const storage = createMemoryStorage(root.places);
    const list = async () =>
      (await storage.list()).map((place) =>
        place.id === 2 ? { ...place, misfit: "its link leads elsewhere" } : place,
      );
    const again = await openSnapshotter({ root: root.path, storage: { ...storage, list } });
    await expect(again.stat("app")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(again.mounts("c1")).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect((await again.stat("base")).kind).toBe("committed");
    await again.close();
  });

  it("belong to one process, in files that are closed to others", async () => {
    await using root = await makeRoot();
    const snapshotter = await root.open();
    await expect(root.open()).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    expect((await stat(root.path)).mode & 0o777).toBe(0o700);
    expect((await stat(root.journal)).mode & 0o777).toBe(0o600);
    await snapshotter.close();
    await snapshotter.close();
    await (await root.open()).close();
  });

  it.each([
    ["half a line", '0123abcd {"seq":99,"chan'],
    ["a line whose checksum is wrong", '00000000 {"seq":99,"changes":[]}\n'],
    ["zeros and the end of a line", `${"\0".repeat(5_000)}]}\n`],
    ["a newline", "\n"],
  ])("lose nothing with %s at their end, which is cut off", async (_, tail) => {
    await using root = await makeRoot();
    const first = await root.open();
    await fill(first);
    await first.close();
    await appendFile(root.journal, tail);
    const second = await root.open();
    expect(await namesIn(second)).toEqual(["app", "base", "c1"]);
    expect(root.warnings).toMatchObject([{ fields: { bytes: tail.length } }]);
    await second.prepare("c2", { parent: "app" });
    await second.close();
    const third = await root.open();
    expect(await namesIn(third)).toEqual(["app", "base", "c1", "c2"]);
    await third.close();
  });

  it("go on where zeros begin, which may be room that was written ahead", async () => {
    await using root = await makeRoot();
    const first = await root.open();
    await fill(first);
    await first.close();
    await appendFile(root.journal, "\0".repeat(5_000));
    const second = await root.open();
    expect(root.warnings).toEqual([]);
    await second.prepare("c2", { parent: "app" });
    await second.close();
    expect(await readFile(root.journal, "latin1")).not.toContain("\0");
    const third = await root.open();
    expect(await namesIn(third)).toEqual(["app", "base", "c1", "c2"]);
    await third.close();
  });

  it("are refused with any byte of theirs damaged but of the last line, and left alone", async () => {
    await using root = await makeRoot();
    const first = await root.open();
    await fill(first);
    await first.close();
    const whole = await readFile(root.journal);
    const lastLine = whole.lastIndexOf("\n", whole.length - 2);
    for (let at = 0; at < lastLine; at += 3) {
      const spoiled = Buffer.from(whole);
      spoiled[at] = (spoiled[at] as number) ^ 0x10;
      await writeFile(root.journal, spoiled);
      const opening = root.open();
      await expect(opening, `byte ${at}`).rejects.toMatchObject({ code: "DATA_LOSS" });
      await expect(opening).rejects.toThrow(/damaged: line \d+ of "records"/);
      expect(await readFile(root.journal)).toEqual(spoiled);
    }
    await writeFile(root.journal, whole);
    await (await root.open()).close();
  });

  it("are refused where a line is missing, doubled, or contradicts the others", async () => {
    await using root = await makeRoot();
    const first = await root.open();
    await fill(first);
    await first.close();
    const lines = (await readFile(root.journal, "utf8")).split(/(?<=\n)/);
    const last = lines.length - 1;
    const spoiled: readonly (readonly string[])[] = [
      lines.toSpliced(3, 1),
      lines.toSpliced(3, 0, lines[3] as string),
      lines.slice(0, 1),
      lines.toSpliced(1, 1),
      lines.toSpliced(last, 0, line({ seq: last - 1, changes: [{ remove: [1] }] })),
      lines.toSpliced(last, 1, line({ seq: last - 1, changes: [{ put: [{ id: 9, name: "app" }] }] })),
    ];
    for (const content of spoiled) {
      await writeFile(root.journal, content.join(""));
      await expect(root.open()).rejects.toMatchObject({ code: "DATA_LOSS" });
    }
  });

  it("of a later version are refused", async () => {
    await using root = await makeRoot();
    await (await root.open()).close();
    await writeFile(root.journal, line({ format: "cleat-snapshots", version: 2, seq: 0, lines: 0 }));
    await expect(root.open()).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
  });

  it("are not begun anew over snapshots that are there", async () => {
    await using root = await makeRoot();
    const first = await root.open();
    await fill(first);
    await first.close();
    await rm(root.journal);
    for (let times = 0; times < 2; times++) {
      await expect(root.open()).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
      expect(root.places.made.size).toBe(3);
    }
  });

  it("are refused where they are older than the places, none of which is deleted", async () => {
    await using root = await makeRoot();
    await (await root.open()).close();
    const older = await readFile(root.journal);
    const first = await root.open();
    for (let count = 0; count < 5; count++) await first.prepare(`k${count}`, {});
    await first.close();
    const newer = await readFile(root.journal);
    await writeFile(root.journal, older); // from a backup
    const opening = root.open();
    await expect(opening).rejects.toMatchObject({ code: "DATA_LOSS" });
    await expect(opening).rejects.toThrow("a snapshot of number 5 is there, and records know of none above 0");
    expect([...root.places.made.keys()]).toEqual([1, 2, 3, 4, 5]);
    await writeFile(root.journal, newer);
    const second = await root.open();
    expect(await namesIn(second)).toEqual(["k0", "k1", "k2", "k3", "k4"]);
    await second.close();
  });

  it.each([
    ["a pipe, which is not waited for", (path: string) => promisify(execFile)("mkfifo", [path])],
    ["a folder", (path: string) => mkdir(path)],
    ["a link, even to what never ends", (path: string) => symlink("/dev/zero", path)],
  ])("are refused where their file is %s", { timeout: 10_000 }, async (_, make) => {
    await using root = await makeRoot();
    await (await root.open()).close();
    await rm(root.journal);
    await make(root.journal);
    await expect(root.open()).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringMatching(/is no plain file/),
    });
  });
});

describe("a snapshot whose files are gone", () => {
  it("is not found, nor those above it, is listed to be removed, and keeps nobody else from being served", async () => {
    await using root = await makeRoot();
    const first = await root.open();
    await fill(first);
    await first.prepare("other", {});
    await first.close();
    root.places.made.delete(1); // base
    const second = await root.open();
    expect(root.warnings).toMatchObject([{ fields: { snapshot: "base" } }]);
    for (const name of ["base", "app", "c1"]) {
      await expect(second.stat(name)).rejects.toMatchObject({ code: "NOT_FOUND" });
      await expect(second.usage(name)).rejects.toMatchObject({ code: "NOT_FOUND" });
      await expect(second.update(name, { labels: {} })).rejects.toMatchObject({ code: "NOT_FOUND" });
    }
    await expect(second.mounts("c1")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(second.commit("x", "c1", {})).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(second.prepare("c2", { parent: "app" })).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect((await second.stat("other")).kind).toBe("active");
    expect(await namesIn(second)).toEqual(["app", "base", "c1", "other"]);
    expect(await namesIn(second, ["kind==committed"])).toEqual([]);
    for (const name of ["c1", "app", "base"]) await second.remove(name);
    expect(await namesIn(second)).toEqual(["other"]);
    await second.prepare("c1", {});
    await second.close();
  });

  it("takes nobody with it where each snapshot is a whole", async () => {
    await using root = await makeRoot();
    const first = await root.open(false);
    await fill(first);
    await first.close();
    root.places.made.delete(1);
    const second = await root.open(false);
    await expect(second.stat("base")).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect((await second.stat("app")).parent).toBe("base");
    await second.prepare("c2", { parent: "app" });
    await second.close();
  });
});

describe("a commit on a new parent", () => {
  /** A committed "base" of number 1, and "k" of number 2. */
  async function prepared(root: Root): Promise<Snapshotter> {
    const snapshotter = await root.open();
    await snapshotter.prepare("k1", {});
    await snapshotter.commit("base", "k1", {});
    await snapshotter.prepare("k", {});
    return snapshotter;
  }

  it("that a crash cut in two is taken back, and can be done again", async () => {
    await using root = await makeRoot();
    await (await prepared(root)).close();
    root.places.made.set(2, 1); // the files lie on base already, the record does not say so
    const second = await root.open();
    expect(root.places.made.get(2)).toBeUndefined();
    expect(root.warnings).toEqual([]);
    expect((await second.stat("k")).kind).toBe("active");
    await second.commit("n", "k", { parent: "base" });
    expect(root.places.made.get(2)).toBe(1);
    expect((await second.stat("n")).parent).toBe("base");
    await second.close();
  });

  it("is no snapshot any more when its files lie on another than its record says", async () => {
    await using root = await makeRoot();
    const first = await prepared(root);
    await first.commit("n", "k", { parent: "base" });
    await first.prepare("other", {});
    await first.close();
    root.places.made.set(2, undefined);
    const second = await root.open();
    expect(root.warnings).toMatchObject([{ fields: { snapshot: "n", parent: 1 } }]);
    await expect(second.stat("n")).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect((await second.stat("other")).kind).toBe("active");
    await second.remove("n");
    await second.close();
  });
});

describe("what a commit promises", () => {
  it("is on the disk before: a commit whose files cannot be synced is refused, also when tried again", async () => {
    await using root = await makeRoot();
    const snapshotter = await root.open();
    await snapshotter.prepare("k", {});
    let fails = true;
    root.places.beforeStep = (step) => {
      if (fails && step === "sync") throw new Error("input/output error");
    };
    await expect(snapshotter.commit("n", "k", {})).rejects.toThrow("input/output error");
    expect((await snapshotter.stat("k")).kind).toBe("active");
    fails = false;
    await expect(snapshotter.commit("n", "k", {})).rejects.toMatchObject({ code: "DATA_LOSS" });
    await snapshotter.remove("k");
    await snapshotter.prepare("k", {});
    await snapshotter.commit("n", "k", {});
    await snapshotter.close();
  });

  it("is not done behind the back of who was told that it failed", async () => {
    await using root = await makeRoot();
    const snapshotter = await root.open();
    await snapshotter.prepare("k", {});
    const gaveUp = new AbortController();
    root.places.beforeStep = (step) => {
      if (step === "sync") gaveUp.abort();
    };
    await expect(snapshotter.commit("n", "k", {}, { signal: gaveUp.signal })).rejects.toThrow();
    expect((await snapshotter.stat("k")).kind).toBe("active");
    await expect(snapshotter.stat("n")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await snapshotter.close();
  });

  it("is written behind while an engine unpacks, until it commits", async () => {
    await using root = await makeRoot();
    const snapshotter = await root.open();
    let syncs = 0;
    let synced = () => {};
    const twice = new Promise<void>((resolve) => (synced = resolve));
    root.places.beforeStep = (step) => {
      if (step === "sync" && ++syncs === 2) synced();
    };
    const key = "default/1/extract-1 sha256:a";
    await snapshotter.prepare("default/2/c1", {});
    await snapshotter.prepare(key, {}); // `ctr` of 1.6 and 1.7 names no layer
    await twice;
    await snapshotter.commit("default/3/sha256:a", key, {});
    const atCommit = syncs;
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(syncs).toBe(atCommit);
    await snapshotter.close();
  });
});

describe("a view", () => {
  it("of a parent has no place; of nothing it has one", async () => {
    await using root = await makeRoot();
    const snapshotter = await root.open();
    await fill(snapshotter);
    const before = [...root.places.made.keys()];
    const mounts = await snapshotter.view("v", { parent: "app" });
    expect(mounts).toEqual([{ type: "bind", source: "/places/2", options: ["rbind", "ro"] }]);
    expect([...root.places.made.keys()]).toEqual(before);
    await snapshotter.view("empty", {});
    expect(root.places.made.size).toBe(before.length + 1);
    await snapshotter.close();
    root.places.made.delete(2);
    const second = await root.open(false);
    await expect(second.mounts("v")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await second.remove("v");
    expect([...root.places.made.keys()]).toEqual([1, 3, 5]);
    await second.close();
  });
});

describe("a storage that fails", () => {
  it("leaves no snapshot when it could not make a place, and the key is free", async () => {
    await using root = await makeRoot();
    const snapshotter = await root.open();
    let fails = true;
    root.places.beforeStep = (step) => {
      if (fails && step === "create") throw new Error("disk on fire");
    };
    await expect(snapshotter.prepare("a", {})).rejects.toThrow("disk on fire");
    await expect(snapshotter.stat("a")).rejects.toMatchObject({ code: "NOT_FOUND" });
    fails = false;
    await snapshotter.prepare("a", {});
    await snapshotter.close();
  });

  it("does not hold a removal up: what is left is swept later", async () => {
    await using root = await makeRoot();
    const snapshotter = await root.open();
    await snapshotter.prepare("a", {});
    root.places.beforeStep = (step) => {
      if (step === "remove") throw new Error("busy");
    };
    await snapshotter.remove("a");
    await vi.waitFor(() => expect(root.warnings).toHaveLength(1));
    expect(root.places.made.size).toBe(1);
    await snapshotter.cleanup();
    expect(root.places.made.size).toBe(0);
    await snapshotter.close();
  });

  it("takes the places of removed snapshots away soon, children first, while calls come without a pause", async () => {
    await using root = await makeRoot();
    const snapshotter = await root.open();
    await snapshotter.prepare("a", {});
    await snapshotter.commit("A", "a", {});
    await snapshotter.prepare("b", { parent: "A" });
    const removed: unknown[] = [];
    root.places.beforeStep = (step, id) => void (step === "remove" && removed.push(id));
    await snapshotter.remove("b");
    await snapshotter.remove("A");
    await snapshotter.prepare("c", {});
    expect(removed).toEqual([]);
    await vi.waitUntil(async () => (await snapshotter.update("c", { labels: {} })) && removed.length === 2, {
      timeout: 5_000,
      interval: 1,
    });
    expect(removed).toEqual([2, 1]);
    await snapshotter.close();
  });

  it("leaves the places of removed snapshots to the next when it closes", async () => {
    await using root = await makeRoot();
    const snapshotter = await root.open();
    for (const key of ["a", "b"]) await snapshotter.prepare(key, {});
    for (const key of ["a", "b"]) await snapshotter.remove(key);
    await snapshotter.close();
    expect(root.places.made.size).toBe(2);
    const again = await root.open();
    await again.cleanup();
    expect(root.places.made.size).toBe(0);
    await again.close();
  });

  it("does not let a sweep take a place that is being made", async () => {
    await using root = await makeRoot();
    const snapshotter = await root.open();
    await snapshotter.prepare("first", {});
    let made = () => {};
    root.places.beforeStep = (step, id) => {
      if (step === "create") root.places.made.set(id as number, undefined); // begun
      return new Promise<void>((resolve) => (made = resolve));
    };
    const preparing = snapshotter.prepare("slow", {});
    while (root.places.made.size < 2) await new Promise(setImmediate);
    await snapshotter.cleanup();
    expect(root.places.made.size).toBe(2);
    made();
    await preparing;
    await snapshotter.close();
  });

  it("lets go of what nobody waits for any more", async () => {
    await using root = await makeRoot();
    const snapshotter = await root.open();
    const given = new AbortController();
    root.places.beforeStep = (step) => {
      if (step === "create") given.abort();
    };
    await expect(snapshotter.prepare("a", {}, { signal: given.signal })).rejects.toThrow();
    await expect(snapshotter.stat("a")).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(root.places.made.size).toBe(0);
    await snapshotter.close();
  });

  it("measures a committed snapshot once, behind the commit", async () => {
    await using root = await makeRoot();
    const snapshotter = await root.open();
    let walks = 0;
    let finish = () => {};
    root.places.beforeStep = (step) => {
      if (step !== "usage") return undefined;
      walks++;
      return new Promise<void>((resolve) => (finish = resolve));
    };
    await snapshotter.prepare("k", {});
    await snapshotter.commit("n", "k", {}); // though the walk has not ended
    const usages = [snapshotter.usage("n"), snapshotter.usage("n")];
    finish();
    expect(await Promise.all(usages)).toEqual([
      { sizeBytes: 4096, inodes: 1 },
      { sizeBytes: 4096, inodes: 1 },
    ]);
    await snapshotter.usage("n");
    await snapshotter.close();
    const again = await root.open();
    expect(await again.usage("n")).toEqual({ sizeBytes: 4096, inodes: 1 });
    expect(walks).toBe(1);
    await again.close();
  });
});

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { GraphDriverMethods } from "../driver.ts";
import type { Durability } from "../driver-factory.ts";
import { type OpenHome, openHome } from "./open-home.ts";

const { flush } = vi.hoisted(() => ({ flush: vi.fn<(descriptor: number) => Promise<void>>() }));
vi.mock("../../syscall/index.ts", async (actual) => ({ ...(await actual<object>()), syncfsBehind: flush }));

/** Pauses end at once. */
vi.mock("node:timers/promises", async (actual) => ({
  ...(await actual<object>()),
  setTimeout: () => new Promise(setImmediate),
}));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cleat-"));
  flush.mockReset().mockResolvedValue();
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Opens a home as drivers do, and has it for `use`. */
async function withHome(durability: Durability | undefined, use: (home: OpenHome) => Promise<void>): Promise<void> {
  let home: OpenHome | undefined;
  await using _ = await openHome(
    { driver: "vfs" },
    { home: folder, ...(durability && { durability }) },
    async (opened) => {
      home = opened;
      return { name: "vfs", capabilities: {}, close: opened.close } as unknown as GraphDriverMethods;
    },
  );
  await use(home!);
}

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
};

it("writes to the disk what is there of a layer while more of it comes, and no longer", async () => {
  await withHome(undefined, async (home) => {
    const isFlushedOften = vi.waitFor(() => expect(flush.mock.calls.length).toBeGreaterThan(2));
    expect(await home.whileFilling(() => isFlushedOften.then(() => "filled"))).toBe("filled");
    await turns(10);
    flush.mockClear();
    await turns(100);
    expect(flush).not.toHaveBeenCalled();
  });
});

it.each(["none", "file"] as const)("does not with durability %s, which needs no flush of all", async (durability) => {
  await withHome(durability, async (home) => {
    await home.whileFilling(() => turns(100));
    expect(flush).not.toHaveBeenCalled();
  });
});

it("fails as what fills the layer does, whatever becomes of the flush", async () => {
  flush.mockRejectedValue(new Error("lost"));
  await withHome(undefined, async (home) => {
    await home.whileFilling(() => turns(100));
    expect(flush).toHaveBeenCalled();
    await expect(home.whileFilling(() => Promise.reject(new Error("no layer")))).rejects.toThrow("no layer");
  });
});

it("keeps the home until a flush that runs has ended", async () => {
  let end!: () => void;
  flush.mockReturnValue(new Promise((resolve) => (end = resolve)));
  const ended: string[] = [];
  const open = withHome(undefined, async (home) => {
    await home.whileFilling(() => vi.waitFor(() => expect(flush).toHaveBeenCalled()));
  }).then(() => ended.push("home"));
  await vi.waitFor(() => expect(flush).toHaveBeenCalled());
  await turns(100);
  ended.push("flush");
  end();
  await open;
  expect(ended).toEqual(["flush", "home"]);
});

/** As others write drivers: methods of a class, which know what it keeps by `this`. */
class OwnDriver {
  readonly name = "own";
  readonly capabilities = {};
  readonly #home: OpenHome;
  readonly #unreadable = ["a"];

  constructor(home: OpenHome) {
    this.#home = home;
  }
  async exists(id: string): Promise<boolean> {
    return this.#unreadable.includes(id);
  }
  async status() {
    return [["Layers", String(this.#unreadable.length)]];
  }
  async *list() {
    for (const id of this.#unreadable) yield { id, parent: undefined, kind: "unknown", unreadable: "EIO" };
  }
  async close(): Promise<void> {
    await this.#home.close();
  }
}

it("takes a driver that is of a class, and tells in its status of layers that cannot be read", async () => {
  const open = async (home: OpenHome) => new OwnDriver(home) as unknown as GraphDriverMethods;
  await using driver = await openHome({ driver: "own" }, { home: folder }, open);
  expect(await driver.exists("a")).toBe(true);
  expect(await driver.status()).toEqual([
    ["Layers", "1"],
    ["Unreadable Layers", "a: EIO (see cleat fsck)"],
  ]);
});

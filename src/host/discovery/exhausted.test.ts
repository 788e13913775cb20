import { open, readdir } from "node:fs/promises";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { createDiscovery } from "./discovery.ts";
import { at, locations, write } from "./discovery.test.support.ts";

vi.mock("node:fs/promises", async (importOriginal) => {
  const original = await importOriginal<typeof import("node:fs/promises")>();
  return { ...original, open: vi.fn(original.open), readdir: vi.fn(original.readdir) };
});

const tooMany = Object.assign(new Error("EMFILE: too many open files"), {
  code: "EMFILE",
  syscall: "open",
  errno: -24,
});

describe.each([
  ["a folder", () => vi.mocked(readdir).mockRejectedValueOnce(tooMany)],
  ["a spec file", () => vi.mocked(open).mockRejectedValueOnce(tooMany)],
])("a process that cannot open %s, having too many open", (what, fail) => {
  beforeEach(() => write(at("etc/p.spec"), "tcp://127.0.0.1:1"));

  it("does not take its plugin for gone or broken", async () => {
    const discovery = createDiscovery(locations);
    fail();
    await expect(discovery.scan()).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    expect(await discovery.scan()).toMatchObject([{ name: "p", identity: "tcp://127.0.0.1:1" }]);
  });

  it("is told so by a look-up and a watch", async () => {
    const discovery = createDiscovery(locations);
    if (what === "a spec file") {
      fail();
      await expect(discovery.find("p")).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    }
    fail();
    const iterator = discovery.watch()[Symbol.asyncIterator]();
    await expect(iterator.next()).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });
});

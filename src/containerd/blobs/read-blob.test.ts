import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Containerd } from "../client.ts";
import { readBlob } from "./read-blob.ts";

const hex = "0".repeat(64);
let root: string;
let path: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cleat-blobs-"));
  const folder = join(root, "blobs/sha256");
  mkdirSync(folder, { recursive: true });
  path = join(folder, hex);
  writeFileSync(path, "x");
});
afterEach(() => rmSync(root, { recursive: true }));

const readOf = (signal: AbortSignal, plugins: () => Promise<void> = async () => {}) => {
  const services = {
    content: { info: async () => ({ info: { size: 1n } }) },
    introspection: {
      async plugins() {
        await plugins();
        return { plugins: [{ id: "content", exports: { root } }] };
      },
    },
  };
  return readBlob({ services, channel: {} } as unknown as Containerd, `sha256:${hex}`, { signal });
};
const isOpen = () =>
  readdirSync("/proc/self/fd").some((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`) === path;
    } catch {
      return false; // that of the folder itself
    }
  });

it("a blob is read out of containerd's own file, which is closed then", async () => {
  const pieces: Uint8Array[] = [];
  for await (const piece of await readOf(new AbortController().signal)) pieces.push(piece);
  expect(Buffer.concat(pieces).toString()).toBe("x");
  expect(isOpen()).toBe(false);
});

it("no file stays open of a blob that is given up before it is read", async () => {
  const givenUp = new AbortController();
  const read = async () => {
    const blob = await readOf(givenUp.signal, async () => givenUp.abort(new Error("given up")));
    for await (const _ of blob);
  };
  await expect(read()).rejects.toThrow("given up");
  await vi.waitFor(() => expect(isOpen()).toBe(false));
});

import { expect, it } from "vitest";
import type { Containerd } from "../../containerd/index.ts";
import { CleatError } from "../../errors/index.ts";
import { gzipSync } from "node:zlib";
import { applyDiff } from "./apply-diff.ts";
import type { DiffContext } from "./create-diff.ts";

const digest = `sha256:${"0".repeat(64)}`;

/** A job that fails before it has read anything, of a blob whose bytes nobody has asked for until then. */
async function applyForNothing(bytes: Uint8Array) {
  const ends: string[] = [];
  async function* read() {
    try {
      for (const byte of bytes) yield { data: Uint8Array.of(byte) };
    } finally {
      ends.push("let go of");
    }
  }
  const services = {
    content: { info: async () => ({ info: { size: BigInt(bytes.length) } }), read },
    introspection: { plugins: async () => ({ plugins: [] }) },
  };
  const consume = async () => {
    throw new CleatError("UNIMPLEMENTED", "holds something already");
  };
  const context = { containerd: { services, channel: {} } as unknown as Containerd, pool: { consume } };
  const applying = applyDiff(
    context as unknown as DiffContext,
    digest,
    { folder: "/none", whiteouts: { kind: "delete" }, lowers: undefined },
    { sync: false },
    {},
  );
  await expect(applying).rejects.toMatchObject({ code: "UNIMPLEMENTED" });
  await new Promise(setImmediate);
  return ends;
}

it.each([
  ["as it is", Buffer.alloc(1024)],
  ["compressed", gzipSync(Buffer.alloc(1024))],
])("a blob %s is let go of where nothing of it was read", async (_, bytes) => {
  expect(await applyForNothing(bytes)).toEqual(["let go of"]);
});

import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { CleatError } from "../../errors/index.ts";
import type { GraphDriverFactory } from "../../graphdriver/index.ts";
import { openGraphDriverSnapshotter } from "./open-graph-driver-snapshotter.ts";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "cleat-roots-"))));
afterEach(() => rmSync(folder, { recursive: true }));

/** Opens nothing: its home is there when it is called. */
const driver = {
  name: "none",
  open: async () => Promise.reject(new CleatError("UNAVAILABLE", "opened")),
} as unknown as GraphDriverFactory;
const open = (root: string) => openGraphDriverSnapshotter({ driver, root });

it("makes a root for root alone, in folders that others may pass through", async () => {
  const root = join(folder, "one/two/root");
  await expect(open(root)).rejects.toMatchObject({ message: "opened" });
  const modes = [root, join(folder, "one/two"), join(folder, "one")].map((path) => statSync(path).mode & 0o777);
  expect(modes).toEqual([0o700, 0o711, 0o711]);
});

it("says of a root that cannot be made why not", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  await expect(open(join(file, "root"))).rejects.toMatchObject({
    code: "FAILED_PRECONDITION",
    message: expect.stringMatching(/^root ".*\/file\/root" cannot be made: ENOTDIR/) as string,
  });
  // Of which Node's recursive mkdir never comes back.
  await expect(open("/proc/cleat/root")).rejects.toMatchObject({
    code: "NOT_FOUND",
    message: expect.stringMatching(/^root "\/proc\/cleat\/root" cannot be made: ENOENT/) as string,
  });
  await expect(open("relative")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
});

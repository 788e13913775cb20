import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { usageAt } from "./usage-at.ts";

const user = process.geteuid?.() ?? 0;
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "cleat-"));
  chmodSync(home, 0o755);
});
afterEach(() => {
  process.seteuid?.(user);
  chmodSync(join(home, "closed"), 0o700);
  rmSync(home, { recursive: true });
});

it("counts nothing of a folder that is not there, and says of a closed one that it does not know", () => {
  mkdirSync(join(home, "closed"));
  writeFileSync(join(home, "closed/file"), "content");
  chmodSync(join(home, "closed"), 0o000);
  if (user === 0) process.seteuid?.(65_534);
  expect(usageAt(home, "none")).toBeUndefined();
  expect(usageAt(home, "closed")).toMatchObject({ apparentBytes: 0, complete: false });
});

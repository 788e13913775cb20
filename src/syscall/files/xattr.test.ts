import { mkdtempSync, openSync, closeSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fgetxattr, flistxattr, fsetxattr, lgetxattr, llistxattr } from "./xattr.ts";

describe("a value", () => {
  let [folder, path, descriptor] = ["", "", -1];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cleat-xattr-"));
    path = join(folder, "file");
    descriptor = openSync(path, "w");
  });
  afterEach(() => {
    closeSync(descriptor);
    rmSync(folder, { recursive: true });
  });

  it.each([0, 1, 255, 256, 257, 2000])("of %i bytes is read whole", (sizeBytes) => {
    const value = Buffer.alloc(sizeBytes, "value");
    fsetxattr(descriptor, "user.long", value);
    expect(fgetxattr(descriptor, "user.long")).toEqual(value);
    expect(lgetxattr(path, "user.long")).toEqual(value);
  });

  it.each([0, 1, 30])("among %i others is listed", (others) => {
    const names = Array.from({ length: others }, (_, at) => `user.another-${at}`);
    for (const name of [...names, "user.long"]) fsetxattr(descriptor, name, Buffer.from("value"));
    expect(flistxattr(descriptor)).toEqual(expect.arrayContaining([...names, "user.long"]));
    expect(llistxattr(path)).toEqual(expect.arrayContaining([...names, "user.long"]));
  });

  it("that is not there is none", () => {
    expect(fgetxattr(descriptor, "user.none")).toBeUndefined();
    expect(lgetxattr(path, "user.none")).toBeUndefined();
  });
});

import { describe, expect, it } from "vitest";

import type { FileStatus } from "../syscall/index.ts";
import { createLinkedFiles } from "./linked-files.ts";

const status = (inode: bigint, links: number): FileStatus => ({ inode, links }) as FileStatus;

describe("files with several names", () => {
  it("answer at each later name what was kept at the first", () => {
    const files = createLinkedFiles<string>();
    expect(files.meet(status(1n, 3), "a")).toBeUndefined();
    expect(files.meet(status(2n, 2), "b")).toBeUndefined();
    expect(files.meet(status(1n, 3), "c")).toBe("a");
    expect(files.meet(status(1n, 3), "d")).toBe("a");
    expect(files.meet(status(2n, 2), "e")).toBe("b");
  });

  it("are forgotten with their last name, whose inode may then be another file's", () => {
    const files = createLinkedFiles<string>();
    files.meet(status(1n, 2), "a");
    files.meet(status(1n, 2), "b");
    expect(files.meet(status(1n, 2), "c")).toBeUndefined();
  });

  it("are forgotten when asked, and a file with one name is not kept at all", () => {
    const files = createLinkedFiles<string>();
    files.meet(status(1n, 2), "a");
    files.forget(status(1n, 2));
    expect(files.meet(status(1n, 2), "b")).toBeUndefined();
    files.meet(status(2n, 1), "c");
    expect(files.meet(status(2n, 1), "d")).toBeUndefined();
  });
});

import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CleatError, type ErrorCode } from "../errors/index.ts";
import type { GraphDriver, GraphDriverFactory } from "../graphdriver/index.ts";
import { silentLogger } from "../transport/index.ts";
import { createAutomaticDriver, tryBestUnder } from "./choose-driver.ts";
import { socketFolderToServeIn } from "./default-folders.ts";

function factory(name: string, failure?: ErrorCode): GraphDriverFactory {
  return {
    name,
    open: async () => {
      if (failure !== undefined) throw new CleatError(failure, `${name} needs something`);
      return { name, close: async () => {} } as unknown as GraphDriver;
    },
  };
}

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "cleat-"));
});
afterEach(() => rm(home, { recursive: true }));

describe("the automatic driver", () => {
  const everywhere = factory("vfs");
  const choose = async (best: GraphDriverFactory) =>
    (await createAutomaticDriver({ best, everywhere }, silentLogger).open({ home })).name;

  it("is the best one, where it works", async () => {
    expect(await choose(factory("overlay2"))).toBe("overlay2");
    expect(await choose(factory("overlay2", "UNIMPLEMENTED"))).toBe("vfs");
    await expect(choose(factory("overlay2", "PERMISSION_DENIED"))).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  });

  it("does not hide another failure", async () => {
    await expect(choose(factory("overlay2", "FAILED_PRECONDITION"))).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
    });
  });

  it("stays the one whose layers are there", async () => {
    await mkdir(join(home, "dir/a"), { recursive: true });
    expect(await choose(factory("overlay2"))).toBe("vfs");
    await mkdir(join(home, "l"));
    expect(await choose(factory("overlay2"))).toBe("vfs");
    await writeFile(join(home, "l/ABC"), "");
    expect(await choose(factory("overlay2"))).toBe("overlay2");
    await expect(choose(factory("overlay2", "UNIMPLEMENTED"))).rejects.toMatchObject({ code: "UNIMPLEMENTED" });
  });

  it("is tried without leaving anything", async () => {
    expect(await tryBestUnder(join(home, "root"), factory("overlay2"))).toBeUndefined();
    expect(await tryBestUnder(join(home, "root"), factory("overlay2", "UNIMPLEMENTED"))).toBe(
      "overlay2 needs something",
    );
    expect(await readdir(join(home, "root"))).toEqual([]);
  });
});

it("does not serve from a folder in /tmp that is another user's", async () => {
  const uid = 3_999_999_999;
  await mkdir(`/tmp/cleat-${uid}`);
  await expect(socketFolderToServeIn({ uid, env: {} })).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  await rm(`/tmp/cleat-${uid}`, { recursive: true });
});

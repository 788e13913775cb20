import { describe, expect, it } from "vitest";
import { rootOf, toMountOptions } from "./id-remap.ts";

const good = "0:100000:65536";

describe("root of mapped ids", () => {
  it.each([
    ["0:100000:65536", "0:200000:65536", { uid: 100_000, gid: 200_000 }],
    ["0:0:1", "0:0:4294967295", { uid: 0, gid: 0 }],
    ["1:100001:65535,0:1000:1", good, { uid: 1_000, gid: 100_000 }],
    ["0:4294967294:1", good, { uid: 4_294_967_294, gid: 100_000 }],
  ])("of %s and %s", (uids, gids, root) => {
    expect(rootOf({ uids, gids })).toEqual(root);
  });

  it.each([
    ["", "is not of the form"],
    ["0", "is not of the form"],
    ["0:1", "is not of the form"],
    ["0:1:2:3", "is not of the form"],
    ["a:b:c", "is not of the form"],
    [" 0:1:2", "is not of the form"],
    ["0:1:2\n", "is not of the form"],
    ["0:-1:2", "is not of the form"],
    ["0:1e5:2", "is not of the form"],
    ["0:0x10:2", "is not of the form"],
    ["0:100000:0", "is not of the form"],
    ["0:100000:65536,", "is not of the form"],
    ["0:100000:65536,upperdir=/etc", "is not of the form"],
    ["0:100000:99999999999", "is not of the form"],
    // The last id is none: chown(2) takes it for "leave it as it is".
    ["0:4294967295:1", "is not of the form"],
    ["0:4294967294:2", "is not of the form"],
    ["4294967295:0:1,0:1:1", "is not of the form"],
    ["0:1:4294967295", "is not of the form"],
    ["1:100000:65536", "maps no root"],
  ])("is refused of %j, whichever of the two it is", (bad, problem) => {
    for (const [maps, label] of [
      [{ uids: bad, gids: good }, "uidmapping"],
      [{ uids: good, gids: bad }, "gidmapping"],
    ] as const) {
      const message = expect.stringMatching(`^label "containerd.io/snapshot/${label}" .*${problem}`) as string;
      expect(() => rootOf(maps)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT", message }) as Error);
    }
  });

  it("is refused with a message that is no longer than others", () => {
    expect(() => rootOf({ uids: "x".repeat(4_000), gids: good })).toThrow(/^.{1,200}$/);
  });
});

it("are told to an engine as one option for users, and one for groups", () => {
  expect(toMountOptions({ uids: "0:1:2,2:7:1", gids: good })).toEqual(["uidmap=0:1:2,2:7:1", `gidmap=${good}`]);
});

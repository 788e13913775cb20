import { join } from "node:path";
import { expect, it } from "vitest";
import { cleat, folder } from "../run.test.support.ts";

it.each([
  [["volumes", "ls"]],
  [["volumes", "du"]],
  [["volumes", "inspect", "data"]],
  [["volumes", "rm", "data", "--plugin", "other"]],
])("%j says how to start a driver where none runs", async (argv) => {
  expect(await cleat(argv)).toMatchObject({
    code: 3,
    err: expect.stringMatching(/is not there: .*; "cleat serve volume" starts one; --root PATH is the folder of/),
  });
});

it("a folder that holds no volumes is named", async () => {
  const root = join(folder, "none");
  expect(await cleat(["volumes", "ls", "--root", root])).toMatchObject({
    code: 1,
    err: `cleat: "${root}" is no folder of a volume driver\n`,
  });
});

it("ls says how to start the first plugin", async () => {
  expect(await cleat(["ls"])).toMatchObject({ code: 0, err: expect.stringContaining('"cleat serve all" starts') });
});

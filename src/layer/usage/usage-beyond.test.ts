import * as fs from "node:fs";
import { expect, it } from "vitest";

import { nest, useScratch } from "../tree/trees.test.support.ts";
import { withFolderAt } from "../tree/with-folder.ts";
import { usageBeyond } from "./usage-beyond.ts";

const scratch = useScratch();

it("goes deeper than there is stack or descriptors, in what both trees have and in what is new", () => {
  const [older, newer] = [scratch.folder("older"), scratch.folder("newer")];
  const depth = 1_500;
  nest(older, depth);
  nest(newer, 2 * depth);
  fs.writeFileSync(`${newer}/f`, "content");
  const usage = withFolderAt(newer, (a) => withFolderAt(older, (b) => usageBeyond(a, b)));
  expect(usage).toMatchObject({ entries: depth + 1, apparentBytes: "content".length, complete: true });
});

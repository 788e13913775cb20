import * as fc from "fast-check";
import { expect, it } from "vitest";

import { createHeldPaths } from "./held-paths.ts";
import { createMarkedPaths } from "./marked-paths.ts";

const name = fc.constantFrom("a", "b", "aa");
const path = fc.array(name, { maxLength: 4 }).map((parts) => parts.join("/"));
const step = fc.record({ path, itself: fc.boolean(), marks: fc.boolean() });

it("void is what was noted before a mark, at or below it", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const marked = createMarkedPaths(createHeldPaths());
      const noted: { path: string; since: number; isVoid: boolean }[] = [];
      for (const { path: at, itself, marks } of steps) {
        if (!marks) {
          noted.push({ path: at, since: marked.now(), isVoid: false });
          continue;
        }
        marked.mark(at, itself);
        for (const one of noted) {
          const isBelow = one.path !== at && (at === "" || one.path.startsWith(`${at}/`));
          if (isBelow || (itself && one.path === at)) one.isVoid = true;
        }
      }
      for (const one of noted) expect(marked.isVoid(one.path, one.since)).toBe(one.isVoid);
    }),
  );
});

/** An archive names a folder so deep in few bytes, by way of a symlink, as often as it likes. */
it("are asked for by a path of 2,000 names without reading it 2,000 times", () => {
  const marked = createMarkedPaths(createHeldPaths());
  const deep = Array.from({ length: 2000 }, () => "a").join("/");
  const since = marked.now();
  for (let index = 0; index < 20; index++) marked.mark(`m${index}`, true);
  marked.mark(`${deep}/a`, true);
  const before = process.cpuUsage();
  for (let index = 0; index < 1000; index++) expect(marked.isVoid(`${deep}/b${index}`, since)).toBe(false);
  expect(process.cpuUsage(before).user).toBeLessThan(1_500_000);
});

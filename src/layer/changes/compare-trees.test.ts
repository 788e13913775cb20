import * as fs from "node:fs";
import { expect, it } from "vitest";

import { useScratch } from "../tree/trees.test.support.ts";
import { withFolderAt } from "../tree/with-folder.ts";
import { compareTrees } from "./compare-trees.ts";

const scratch = useScratch();

/** Folders "a" in one another, each beside an "a.b", before which "a" itself is listed; in the last many files. */
function nest(root: string, depth: number, content: string): void {
  const write = (path: string, text = ""): void => {
    fs.writeFileSync(path, text);
    fs.utimesSync(path, 1, 1);
  };
  const folders = [scratch.folder(root)];
  for (let level = 0; level < depth; level++) {
    write(`${folders.at(-1)}/a.b`);
    folders.push(`${folders.at(-1)}/a`);
    fs.mkdirSync(folders.at(-1) as string);
  }
  for (let index = 0; index < 50; index++) write(`${folders.at(-1)}/f${index}`);
  write(`${folders.at(-1)}/z`, content);
  for (const folder of folders) fs.utimesSync(folder, 1, 1);
}

it("are looked through a few times, however many folders lie in one another above a change", () => {
  nest("older", 40, "1");
  nest("newer", 40, "changed");
  let looks = 0;
  const isKnownSame = (): boolean => ++looks > 0;
  const changes = withFolderAt(scratch.path("newer"), (newer) =>
    withFolderAt(scratch.path("older"), (older) => compareTrees(newer, older, isKnownSame)),
  );
  const folders = Array.from({ length: 40 }, (_, level) => Array.from({ length: level + 1 }, () => "a").join("/"));
  expect(changes.map(({ kind, path }) => `${kind} ${path}`)).toEqual(
    [...folders, `${folders.at(-1)}/z`].map((path) => `modified ${path}`),
  );
  expect(looks).toBeLessThan(3 * (40 + 40 + 51));
});

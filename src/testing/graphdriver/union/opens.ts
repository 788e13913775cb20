/** Opening, with every combination of the flags that decide what happens. */
import * as fs from "node:fs";
import { createTreeWriter } from "../../tree/tree-writer.ts";
import type { Target } from "./targets.ts";
import type { Trial } from "./trial.ts";

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } =
  fs.constants;

export const accesses = { O_RDONLY, O_WRONLY, O_RDWR } as const;
/** Each list holds alternatives; without O_CREAT the kernel takes no notice of O_EXCL. */
const further = [
  { "": 0, "|O_CREAT": O_CREAT, "|O_CREAT|O_EXCL": O_CREAT | O_EXCL },
  { "": 0, "|O_TRUNC": O_TRUNC },
  { "": 0, "|O_APPEND": O_APPEND },
  { "": 0, "|O_DIRECTORY": O_DIRECTORY },
  { "": 0, "|O_NOFOLLOW": O_NOFOLLOW },
] as const;

/** All 48 combinations. */
const combinations = further.reduce<readonly (readonly [title: string, flags: number])[]>(
  (all, choices) =>
    all.flatMap(([title, flags]) =>
      Object.entries(choices).map(([more, flag]) => [title + more, flags | flag] as const),
    ),
  [["", 0]],
);

/** Opens, reads what may be read, writes what may be written. */
export function openTrials(access: keyof typeof accesses, targets: readonly Target[]): Trial[] {
  return combinations.flatMap(([title, flags]) =>
    targets.map((target) => ({
      title: `${access}${title} of ${target.title}`,
      image: target.image,
      prepare: (root) => target.prepare?.(createTreeWriter(root)),
      act(root) {
        // A FIFO would wait for its other end.
        const descriptor = fs.openSync(`${root}/${target.name}`, accesses[access] | flags | O_NONBLOCK, 0o640);
        try {
          const content = access === "O_WRONLY" ? "nothing" : read(descriptor);
          return `${content}, ${access === "O_RDONLY" ? "" : write(descriptor)}`;
        } finally {
          fs.closeSync(descriptor);
        }
      },
    })),
  );
}

function read(descriptor: number): string {
  const buffer = Buffer.alloc(32);
  if (fs.fstatSync(descriptor).isDirectory()) return "folder";
  return buffer.toString("latin1", 0, fs.readSync(descriptor, buffer));
}

function write(descriptor: number): string {
  return `wrote ${fs.writeSync(descriptor, "WW")}, ${fs.fstatSync(descriptor).size}`;
}

/**
 * Several steps of one process, or of two, on one file: what is open while its name changes, memory that is a file,
 * programs.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { withMapping } from "../../../syscall/index.ts";
import { file, folder, hardLink } from "../../archive/entry.ts";
import { type Difference, readersKeepTheImage } from "./differences.ts";
import type { Trial } from "./trial.ts";

const { O_RDONLY, O_RDWR, O_WRONLY, O_APPEND, O_CREAT } = fs.constants;

type Image = Trial["image"];
const lowerFile: Image = (at) => [file(`${at}/f`, "lower")];
const lowerFolder: Image = (at) => [folder(`${at}/d`), file(`${at}/d/in`, "lower")];
const program: Image = (at) => [file(`${at}/f`, "#!/bin/sh\necho lower\n", { mode: 0o755 })];

/** Runs `use` with an open file of the folder. */
function withOpen<T>(path: string, flags: number, use: (descriptor: number) => T): T {
  const descriptor = fs.openSync(path, flags, 0o644);
  try {
    return use(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

function readAt(descriptor: number, position = 0): string {
  const buffer = Buffer.alloc(64);
  return buffer.toString("latin1", 0, fs.readSync(descriptor, buffer, 0, buffer.length, position));
}

const contentOf = (path: string): string => fs.readFileSync(path, "latin1");
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

function runs(path: string): string {
  const { error, status, stdout } = spawnSync(path, { encoding: "latin1" });
  if (error !== undefined) throw error;
  return `ended with ${status} after ${JSON.stringify(stdout)}`;
}

const rows: readonly [title: string, image: Image, act: Trial["act"], difference?: Difference][] = [
  [
    "what one descriptor writes another reads",
    lowerFile,
    (root) =>
      withOpen(`${root}/f`, O_RDWR, (writer) =>
        withOpen(`${root}/f`, O_RDONLY, (reader) => {
          fs.writeSync(writer, "UPPER", 0);
          return `reads ${readAt(reader)}`;
        }),
      ),
  ],
  [
    "what was opened for reading before the first write reads on",
    lowerFile,
    (root) =>
      withOpen(`${root}/f`, O_RDONLY, (reader) => {
        const before = readAt(reader);
        withOpen(`${root}/f`, O_WRONLY, (writer) => fs.writeSync(writer, "UPPER"));
        return `reads ${before}, then ${readAt(reader)}`;
      }),
    readersKeepTheImage,
  ],
  [
    "two that append do not write over each other",
    lowerFile,
    (root) =>
      withOpen(`${root}/f`, O_WRONLY | O_APPEND, (one) =>
        withOpen(`${root}/f`, O_RDWR | O_APPEND, (other) => {
          for (const descriptor of [one, other, one]) fs.writeSync(descriptor, "+");
          return contentOf(`${root}/f`);
        }),
      ),
  ],
  [
    "a file that is renamed while it is open is still written",
    lowerFile,
    (root) =>
      withOpen(`${root}/f`, O_RDWR, (descriptor) => {
        fs.renameSync(`${root}/f`, `${root}/g`);
        fs.writeSync(descriptor, "UP", 0);
        return `${contentOf(`${root}/g`)}, ${fs.existsSync(`${root}/f`)}`;
      }),
  ],
  [
    "a file that another is renamed over lives on for who has it open",
    (at) => [...lowerFile(at), file(`${at}/g`, "other")],
    (root) =>
      withOpen(`${root}/f`, O_RDWR, (descriptor) => {
        fs.renameSync(`${root}/g`, `${root}/f`);
        fs.writeSync(descriptor, "UP", 0);
        return `${readAt(descriptor)}, ${contentOf(`${root}/f`)}`;
      }),
  ],
  [
    "a file that is unlinked while it is open is read and written",
    lowerFile,
    (root) =>
      withOpen(`${root}/f`, O_RDWR, (descriptor) => {
        fs.unlinkSync(`${root}/f`);
        fs.writeSync(descriptor, "UP", 0);
        return `${readAt(descriptor)}, ${fs.fstatSync(descriptor).nlink}, ${fs.existsSync(`${root}/f`)}`;
      }),
  ],
  [
    "a file that is unlinked and made anew is another",
    lowerFile,
    (root) =>
      withOpen(`${root}/f`, O_RDONLY, (descriptor) => {
        fs.unlinkSync(`${root}/f`);
        fs.writeFileSync(`${root}/f`, "new");
        return `${readAt(descriptor)}, ${contentOf(`${root}/f`)}`;
      }),
  ],
  [
    "what is changed through a descriptor is changed",
    lowerFile,
    (root) =>
      withOpen(`${root}/f`, O_RDWR, (descriptor) => {
        fs.fchmodSync(descriptor, 0o604);
        fs.ftruncateSync(descriptor, 3);
        fs.futimesSync(descriptor, 99, 99);
        const { mode, size, mtimeMs } = fs.statSync(`${root}/f`);
        return `${mode.toString(8)}, ${size}, ${mtimeMs}, ${contentOf(`${root}/f`)}`;
      }),
  ],
  [
    "memory shows the file",
    lowerFile,
    (root) => withOpen(`${root}/f`, O_RDONLY, (descriptor) => withMapping(descriptor, 5, "read", textOf)),
  ],
  [
    "what is written to shared memory is in the file",
    lowerFile,
    (root) =>
      withOpen(`${root}/f`, O_RDWR, (descriptor) => {
        withMapping(descriptor, 5, "read-write", (bytes) => bytes.set(Buffer.from("MAP")));
        return `${readAt(descriptor)}, ${contentOf(`${root}/f`)}`;
      }),
  ],
  [
    "memory of one and memory of another are the same",
    lowerFile,
    (root) =>
      withOpen(`${root}/f`, O_RDWR, (one) =>
        withOpen(`${root}/f`, O_RDWR, (other) =>
          withMapping(one, 5, "read-write", (written) =>
            withMapping(other, 5, "read", (seen) => {
              written.set(Buffer.from("MAP"));
              return textOf(seen);
            }),
          ),
        ),
      ),
  ],
  [
    "what is written to the file is in memory that was mapped for writing",
    lowerFile,
    (root) =>
      withOpen(`${root}/f`, O_RDWR, (descriptor) =>
        withMapping(descriptor, 5, "read-write", (bytes) => {
          withOpen(`${root}/f`, O_WRONLY, (writer) => fs.writeSync(writer, "UP"));
          return textOf(bytes);
        }),
      ),
  ],
  [
    "memory cannot be written through what was opened for reading",
    lowerFile,
    (root) => withOpen(`${root}/f`, O_RDONLY, (descriptor) => withMapping(descriptor, 5, "read-write", textOf)),
  ],
  ["a program of the image is run", program, (root) => runs(`${root}/f`)],
  [
    "a program that was written over is the new one",
    program,
    (root) => {
      fs.writeFileSync(`${root}/f`, "#!/bin/sh\nexit 3\n");
      return runs(`${root}/f`);
    },
  ],
  [
    "a file becomes a program by its mode, and is none without",
    (at) => [file(`${at}/f`, "#!/bin/sh\nexit 4\n")],
    (root) => {
      const before = spawnSync(`${root}/f`).error;
      fs.chmodSync(`${root}/f`, 0o755);
      return `${(before as NodeJS.ErrnoException | undefined)?.code}, ${runs(`${root}/f`)}`;
    },
  ],
  [
    "a program that was renamed and linked is run by each name",
    program,
    (root) => {
      fs.renameSync(`${root}/f`, `${root}/g`);
      fs.linkSync(`${root}/g`, `${root}/h`);
      return `${runs(`${root}/g`)}, ${runs(`${root}/h`)}`;
    },
  ],
  [
    "names of a new file are one file, whichever is written",
    () => [],
    (root) => {
      fs.writeFileSync(`${root}/f`, "one");
      fs.linkSync(`${root}/f`, `${root}/g`);
      fs.appendFileSync(`${root}/g`, "two");
      fs.unlinkSync(`${root}/f`);
      return `${contentOf(`${root}/g`)}, ${fs.statSync(`${root}/g`).nlink}`;
    },
  ],
  [
    "a new name of a file of the image is that file",
    lowerFile,
    (root) => {
      fs.linkSync(`${root}/f`, `${root}/g`);
      fs.appendFileSync(`${root}/g`, "+");
      const [f, g] = [fs.statSync(`${root}/f`), fs.statSync(`${root}/g`)];
      return `${contentOf(`${root}/f`)}, ${f.ino === g.ino}, ${f.nlink}`;
    },
  ],
  [
    "of a file with two names in the image one goes and the other stays",
    (at) => [...lowerFile(at), hardLink(`${at}/g`, `${at}/f`)],
    (root) => {
      fs.unlinkSync(`${root}/f`);
      return contentOf(`${root}/g`);
    },
  ],
  [
    "a folder is emptied, goes, and comes again empty",
    lowerFolder,
    (root) => {
      fs.unlinkSync(`${root}/d/in`);
      fs.rmdirSync(`${root}/d`);
      fs.mkdirSync(`${root}/d`);
      return fs.readdirSync(`${root}/d`).join();
    },
  ],
  [
    "a file comes and goes many times",
    lowerFile,
    (root) => {
      for (let round = 0; round < 20; round++) {
        fs.unlinkSync(`${root}/f`);
        withOpen(`${root}/f`, O_WRONLY | O_CREAT, (descriptor) => fs.writeSync(descriptor, `round ${round}`));
      }
      return contentOf(`${root}/f`);
    },
  ],
  [
    "a folder is listed while its files go",
    (at) => [folder(`${at}/d`), ...Array.from({ length: 40 }, (_, n) => file(`${at}/d/${n}`, ""))],
    (root) => {
      const listing = fs.opendirSync(`${root}/d`);
      try {
        for (let entry = listing.readSync(); entry !== null; entry = listing.readSync()) {
          fs.unlinkSync(`${root}/d/${entry.name}`);
        }
      } finally {
        listing.closeSync();
      }
      return fs.readdirSync(`${root}/d`).join();
    },
  ],
  [
    "a file is as it was written across renames over it",
    lowerFile,
    (root) => {
      for (const content of ["one", "two", "three"]) {
        fs.writeFileSync(`${root}/new`, content);
        fs.renameSync(`${root}/new`, `${root}/f`);
      }
      return `${contentOf(`${root}/f`)}, ${fs.readdirSync(root).join()}`;
    },
  ],
];

export const stories: readonly Trial[] = rows.map(([title, image, act, difference]) => ({
  title,
  image,
  act,
  difference,
}));

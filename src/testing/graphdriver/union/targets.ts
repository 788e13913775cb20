/** What a name can be to a process in a container. */
import { type ArchiveEntry, fifo, file, folder, symlink } from "../../archive/entry.ts";
import type { TreeWriter } from "../../tree/tree-writer.ts";

export interface Target {
  readonly title: string;
  readonly image: (at: string) => readonly ArchiveEntry[];
  readonly prepare?: (writer: TreeWriter) => void;
  /** The name, in the folder that holds it. */
  readonly name: string;
  /** What is tried with every combination of flags, and against each other. */
  readonly isKind?: boolean;
  /** A folder that the image has: a union mount may refuse to rename it. */
  readonly isImageFolder?: boolean;
}

const nothing = (): readonly ArchiveEntry[] => [];
const lowerFile = (at: string) => [file(`${at}/f`, "lower")];
const lowerFolder = (at: string) => [folder(`${at}/d`), file(`${at}/d/in`, "lower")];
const emptyFolder = (at: string) => [folder(`${at}/d`)];
const linkTo = (target: string, rest: (at: string) => readonly ArchiveEntry[]) => (at: string) => [
  ...rest(at),
  symlink(`${at}/l`, target),
];

const remadeFolder = (writer: TreeWriter): void => {
  writer.remove("d");
  writer.makeFolder("d", 0o750);
  writer.write("d/new", "upper");
};

/** Files and what is none, in the image, in the container and gone. */
export const targets: readonly Target[] = [
  { title: "file of the image", isKind: true, image: lowerFile, name: "f" },
  { title: "file of the image, and a slash", isKind: true, image: lowerFile, name: "f/" },
  { title: "name below a file", image: lowerFile, name: "f/x" },
  { title: "folder of the image", isKind: true, image: lowerFolder, name: "d", isImageFolder: true },
  { title: "folder of the image, and a slash", image: lowerFolder, name: "d/", isImageFolder: true },
  { title: "empty folder of the image", isKind: true, image: emptyFolder, name: "d", isImageFolder: true },
  { title: "file in a folder of the image", image: lowerFolder, name: "d/in" },
  { title: "new name in a folder of the image", image: lowerFolder, name: "d/new" },
  { title: "symlink to a file", isKind: true, image: linkTo("f", lowerFile), name: "l" },
  { title: "symlink to a file, and a slash", image: linkTo("f", lowerFile), name: "l/" },
  { title: "symlink to a folder", isKind: true, image: linkTo("d", lowerFolder), name: "l" },
  {
    title: "symlink to a folder, and a slash",
    isKind: true,
    image: linkTo("d", lowerFolder),
    name: "l/",
    isImageFolder: true,
  },
  { title: "file through a symlink to its folder", image: linkTo("d", lowerFolder), name: "l/in" },
  { title: "symlink to nothing", isKind: true, image: linkTo("nothing", nothing), name: "l" },
  { title: "symlink to nothing, and a slash", image: linkTo("nothing", nothing), name: "l/" },
  { title: "symlink to itself", image: linkTo("l", nothing), name: "l" },
  { title: "FIFO", isKind: true, image: (at) => [fifo(`${at}/p`)], name: "p" },
  { title: "nothing", isKind: true, image: nothing, name: "x" },
  { title: "nothing, and a slash", isKind: true, image: nothing, name: "x/" },
  {
    title: "file of the container",
    isKind: true,
    image: nothing,
    prepare: (writer) => writer.write("f", "upper"),
    name: "f",
  },
  {
    title: "folder of the container",
    isKind: true,
    image: nothing,
    prepare: (writer) => writer.makeFolder("d", 0o711),
    name: "d",
  },
  { title: "file of both", isKind: true, image: lowerFile, prepare: (writer) => writer.chmod("f", 0o604), name: "f" },
  {
    title: "folder of both",
    isKind: true,
    image: lowerFolder,
    prepare: (writer) => writer.write("d/new", "upper"),
    name: "d",
    isImageFolder: true,
  },
  { title: "deleted file", isKind: true, image: lowerFile, prepare: (writer) => writer.remove("f"), name: "f" },
  { title: "deleted file, and a slash", image: lowerFile, prepare: (writer) => writer.remove("f"), name: "f/" },
  {
    title: "file deleted and made anew",
    isKind: true,
    image: lowerFile,
    prepare(writer) {
      writer.remove("f");
      writer.write("f", "again");
    },
    name: "f",
  },
  { title: "deleted folder", image: lowerFolder, prepare: (writer) => writer.remove("d"), name: "d" },
  { title: "file in a deleted folder", image: lowerFolder, prepare: (writer) => writer.remove("d"), name: "d/in" },
  { title: "folder deleted and made anew", isKind: true, image: lowerFolder, prepare: remadeFolder, name: "d" },
  { title: "old file in a folder made anew", image: lowerFolder, prepare: remadeFolder, name: "d/in" },
  { title: "new file in a folder made anew", image: lowerFolder, prepare: remadeFolder, name: "d/new" },
  {
    title: "folder emptied",
    image: lowerFolder,
    prepare: (writer) => writer.remove("d/in"),
    name: "d",
    isImageFolder: true,
  },
  {
    title: "file where a folder was",
    image: lowerFolder,
    prepare(writer) {
      writer.remove("d");
      writer.write("d", "upper");
    },
    name: "d",
  },
  {
    title: "folder where a file was",
    image: lowerFile,
    prepare(writer) {
      writer.remove("f");
      writer.makeFolder("f");
    },
    name: "f",
  },
];

export const kinds = targets.filter(({ isKind }) => isKind === true);

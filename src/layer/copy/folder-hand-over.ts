import { close, type FileStatus } from "../../syscall/index.ts";
import { openFolder } from "../tree/with-folder.ts";
import { type AskCopyHelp, type CopyHelper, createCopyHelper, createCopyQueue } from "./copy-beside.ts";

/** A folder whose files somebody else copies. */
interface HandedFolder {
  /** Below the root of both trees. */
  readonly path: string;
  readonly own: FileStatus;
}

/** What the walk of a copy hands to its helper: one folder at a time, open until it is taken back. */
export interface FolderHandOver {
  /** Whether a folder with so many regular files could be handed on, once the one before is taken back. */
  isFor(files: number): boolean;
  /** False where there is no helper, or too little for it. */
  hand(source: number, target: number, folder: HandedFolder, files: number): boolean;
  /** The walk makes nothing more in the folder that is out: it can be taken back. */
  leave(): void;
  /**
   * Waits for the folder that was handed on, if one is out, and lends it once more: `hasLeft` where
   * files were left to the walk.
   * @throws what copying it failed with.
   */
  take(finish: (folder: HandedFolder & Handed & { readonly hasLeft: boolean }) => void): void;
  /** Waits until nobody uses what is open, and lets the helper go. */
  end(): void;
}

interface Handed {
  readonly source: number;
  readonly target: number;
}

/** From so many files on a helper is worth its start, and in one folder, being told of it. */
const worthHelp = { files: 500, filesOfFolder: 8 } as const;

export function createFolderHandOver(askHelp: AskCopyHelp | undefined): FolderHandOver {
  let helper: CopyHelper | undefined;
  let out: (HandedFolder & Handed) | undefined;
  /** Whether the walk is still in the folder that is out, or below it. */
  let isInside = false;
  let files = 0;

  function askWhenWorth(askHelpNow: AskCopyHelp): void {
    if (files < worthHelp.files) return;
    const queue = createCopyQueue();
    helper = createCopyHelper(queue);
    askHelpNow(queue);
  }

  function closeOut(): void {
    if (out === undefined) return;
    const { source, target } = out;
    out = undefined;
    close(source);
    close(target);
  }

  return {
    isFor: (count) => count >= worthHelp.filesOfFolder && !isInside && helper?.isFree() === true,
    hand(source, target, folder, count) {
      files += count;
      if (helper === undefined && askHelp !== undefined) askWhenWorth(askHelp);
      if (count < worthHelp.filesOfFolder || helper?.isFree() !== true || out !== undefined) return false;
      // Of its own: where a folder is read up to belongs to who opened it.
      const own = openFolder(source, ".");
      try {
        out = { ...folder, source: own, target: openFolder(target, ".") };
      } catch (error) {
        close(own);
        throw error;
      }
      helper.hand(out.source, out.target);
      isInside = true;
      return true;
    },
    leave() {
      isInside = false;
    },
    take(finish) {
      if (out === undefined || helper === undefined) return;
      const { hasLeft } = helper.take();
      try {
        finish({ ...out, hasLeft });
      } finally {
        closeOut();
      }
    },
    end() {
      helper?.end();
      closeOut();
    },
  };
}

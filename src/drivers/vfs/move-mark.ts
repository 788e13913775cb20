import { removeTree, withFolder } from "../../layer/index.ts";
import { fsync, renameat2 } from "../../syscall/index.ts";

/**
 * Moves a layer's mark from one folder of marks to another, durably. After a power loss btrfs may show a mark in both,
 * as two names of one file, and rename(2) does nothing to such names: so the old one is taken away, too.
 */
export function moveMark(home: number, id: string, from: string, to: string): void {
  renameat2(home, `${from}/${id}`, home, `${to}/${id}`);
  removeTree(home, `${from}/${id}`);
  withFolder(home, to, fsync);
}

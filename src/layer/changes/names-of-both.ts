import { readNames } from "../../syscall/index.ts";

/** The same folder of two trees, open; without `older` it is new. */
export interface FolderPair {
  readonly newer: number;
  readonly older: number | undefined;
}

/** A name in a folder of two trees. */
export interface NameOfBoth {
  readonly name: Buffer;
  readonly isNew: boolean;
  readonly isOld: boolean;
}

/** The names of both folders, each once, sorted by their bytes. */
export function* namesOfBoth({ newer, older }: FolderPair): Generator<NameOfBoth> {
  const newNames = readNames(newer);
  const oldNames = older === undefined ? [] : readNames(older);
  let at = 0;
  for (const name of newNames) {
    let order = 1;
    for (let old = oldNames[at]; old !== undefined; old = oldNames[at]) {
      order = Buffer.compare(old, name);
      if (order > 0) break;
      at++;
      if (order === 0) break;
      yield { name: old, isNew: false, isOld: true };
    }
    yield { name, isNew: true, isOld: order === 0 };
  }
  for (const name of oldNames.slice(at)) yield { name, isNew: false, isOld: true };
}

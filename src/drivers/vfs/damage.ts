import { removeForGood, removeTree, withFolderAt } from "../../layer/index.ts";
import { statat, unlinkat } from "../../syscall/index.ts";
import {
  type Damage,
  findExactDamage,
  findOwnDamage,
  findUnlessUnread,
  findUnreadLayers,
  findWrongFolders,
  isOfFileSystem,
  layerRecordsFolder,
  mendable,
  namesIn,
  nameText,
  readMountsBelow,
  readRecordAt,
  unmendable,
  withholdMends,
  withPathIfThere,
} from "../../graphdriver/kit.ts";
import { resetLayer } from "./create-layer.ts";
import { exactDiffsFolder, exactFolder, fillingFolder, layersFolder, unfilledFolder } from "./layout.ts";
import { readLayerIds } from "./survey.ts";

/** Relative to the home; what is done by their paths would be done elsewhere if one were a symlink. */
export function layoutFolders(): readonly string[] {
  return [layersFolder, unfilledFolder, fillingFolder, exactDiffsFolder, layerRecordsFolder];
}

/** All that is wrong with a store of whole copies. Blocks; runs on a worker. */
export function findDamage(home: string): Damage[] {
  return withFolderAt(home, (folder) => {
    const ids = new Set(readLayerIds(folder));
    const unread = findUnreadLayers(folder, layersFolder, ids);
    return [
      ...unread,
      ...findWrongFolders({ folder }, layoutFolders()),
      ...findOwnDamage({
        home,
        folder,
        mounts: readMountsBelow(home),
        remove: removeForGood,
        mountedLayers: new Set(),
      }),
      ...withholdMends(unread, findLayerDamage(home, folder, ids)),
    ];
  });
}

function findLayerDamage(home: string, folder: number, ids: ReadonlySet<string>): Damage[] {
  return [
    ...namesIn(folder, layersFolder)
      .map(nameText)
      .filter((name) => !ids.has(name) && !isOfFileSystem(name))
      .map(describeStray),
    ...namesIn(folder, fillingFolder)
      .map(nameText)
      .filter((id) => ids.has(id))
      .flatMap((id) => findUnlessUnread(`${fillingFolder}/${id}`, id, () => [checkFilling(home, folder, id, ids)])),
    ...[fillingFolder, unfilledFolder, exactDiffsFolder, layerRecordsFolder].flatMap((marks) =>
      namesIn(folder, marks)
        .filter((name) => !ids.has(nameText(name)) && !isOfFileSystem(nameText(name)))
        .map((name) => describeMark(home, marks, name)),
    ),
    ...[...ids].flatMap((id) =>
      findUnlessUnread(exactFolder(id), id, () => findExactDamage(folder, exactFolder(id), id)),
    ),
  ];
}

function describeStray(name: string): Damage {
  const path = `${layersFolder}/${name}`;
  return unmendable({ kind: "stray", path, problem: `"${path}" is not a layer` }, "it is not the driver's");
}

function checkFilling(home: string, folder: number, id: string, ids: ReadonlySet<string>): Damage {
  const parent = readRecordAt(folder, `${fillingFolder}/${id}`) || undefined;
  const problem = `layer "${id}" was being filled when the process died`;
  const subject = { kind: "filling-left", path: `${layersFolder}/${id}`, problem, layer: id } as const;
  if (parent !== undefined && !ids.has(parent))
    return unmendable(subject, `its parent "${parent.slice(0, 80)}" is not there`);
  return mendable(subject, () => {
    const owner = withFolderAt(home, (opened) => withPathIfThere(opened, layersFolder, (layers) => statat(layers, id)));
    resetLayer(home, { id, parent, rootUid: owner?.uid ?? 0, rootGid: owner?.gid ?? 0 });
  });
}

function describeMark(home: string, marks: string, name: Buffer): Damage {
  const path = `${marks}/${nameText(name)}`;
  const problem = `"${path}" tells of a layer that is not there`;
  const remove = marks === exactDiffsFolder ? removeTree : unlinkat;
  return mendable({ kind: "mark-left", path, problem }, () =>
    withFolderAt(home, (folder) => withPathIfThere(folder, marks, (opened) => remove(opened, name))),
  );
}

import { quoteText } from "../../errors/index.ts";
import { withFolderAt } from "../../layer/index.ts";
import { isSubvolume, rmdirat, statIfThere, unlinkat } from "../../syscall/index.ts";
import {
  type Damage,
  describeUnread,
  findExactDamage,
  findOwnDamage,
  findUnlessUnread,
  findUnreadLayers,
  findWrongFolders,
  forgetLayerRecord,
  isOfFileSystem,
  kindOf,
  layerIdPattern,
  layerRecordsFolder,
  mendable,
  namesIn,
  nameText,
  orUnread,
  readMountsBelow,
  readRecord,
  unmendable,
  Unread,
  withholdMends,
  withPathIfThere,
} from "../../graphdriver/kit.ts";
import { isLimit } from "./layer-size.ts";
import { exactDiffsFolder, exactFolder, layersFolder, quotasFolder } from "./layout.ts";
import { removeSubvolumes } from "./remove-subvolumes.ts";
import { layerIds } from "./survey.ts";

/** Relative to the home; what is done by their paths would be done elsewhere if one were a symlink. */
export function layoutFolders(): readonly string[] {
  return [layersFolder, quotasFolder, exactDiffsFolder, layerRecordsFolder];
}

/** All that is wrong with a store of subvolumes. Blocks; runs on a worker. */
export function findDamage(home: string): Damage[] {
  return withFolderAt(home, (folder) => {
    const mounts = readMountsBelow(home);
    const own = { home, folder, mounts, remove: removeSubvolumes, mountedLayers: new Set<string>() };
    const unread = findUnreadLayers(folder, layersFolder, withPathIfThere(folder, layersFolder, layerIds) ?? []);
    return [
      ...findWrongFolders({ folder }, layoutFolders()),
      ...findOwnDamage(own),
      ...unread,
      ...withholdMends(unread, [
        ...findLeftRecords(home, folder),
        ...(withPathIfThere(folder, layersFolder, (layers) => checkLayers(home, folder, layers)) ?? []),
        ...(withPathIfThere(folder, quotasFolder, (quotas) => checkQuotas(home, folder, quotas)) ?? []),
      ]),
    ];
  });
}

function checkLayers(home: string, folder: number, layers: number): Damage[] {
  return namesIn(layers, ".").flatMap((name) => {
    const id = nameText(name);
    const status = orUnread(() => statIfThere(layers, name));
    if (status instanceof Unread)
      return layerIdPattern.test(id) ? [] : [describeUnread(`${layersFolder}/${id}`, status, undefined)];
    const path = `${layersFolder}/${id}`;
    if (status === undefined || isOfFileSystem(id)) return [];
    if (kindOf(layers, name) !== "folder" || !layerIdPattern.test(id)) {
      return [unmendable({ kind: "stray", path, problem: `"${path}" is not a layer` }, "it is not the driver's")];
    }
    if (isSubvolume(status)) {
      return findUnlessUnread(exactFolder(id), id, () => findExactDamage(folder, exactFolder(id), id));
    }
    const subject = {
      kind: "not-a-subvolume",
      path,
      problem: `layer "${id}" is a folder and no subvolume`,
      layer: id,
    } as const;
    if (namesIn(layers, id).length > 0) return [unmendable(subject, "it holds something")];
    return [
      mendable(subject, () =>
        withFolderAt(home, (opened) => withPathIfThere(opened, layersFolder, (at) => rmdirat(at, name))),
      ),
    ];
  });
}

function findLeftRecords(home: string, folder: number): Damage[] {
  const ids = new Set(namesIn(folder, layersFolder).map(nameText));
  return namesIn(folder, layerRecordsFolder)
    .map(nameText)
    .filter((id) => !ids.has(id))
    .map((id) => {
      const path = `${layerRecordsFolder}/${id}`;
      const problem = `"${path}" tells of a layer that is not there`;
      return mendable({ kind: "mark-left", path, problem }, () => forgetLayerRecord(home, id));
    });
}

function checkQuotas(home: string, folder: number, quotas: number): Damage[] {
  return namesIn(quotas, ".").flatMap((name) => {
    const id = nameText(name);
    if (isOfFileSystem(id)) return [];
    const path = `${quotasFolder}/${id}`;
    const kind = orUnread(() => withPathIfThere(folder, layersFolder, (layers) => kindOf(layers, name)));
    if (kind instanceof Unread) return []; // as is told of the layer
    if (kind !== "folder") {
      const problem = `"${path}" limits a layer that is not there`;
      const remove = (): void =>
        void withFolderAt(home, (opened) => withPathIfThere(opened, quotasFolder, (at) => unlinkat(at, name)));
      return [mendable({ kind: "quota-left", path, problem }, remove)];
    }
    const text = orUnread(() => readRecord(quotas, name));
    if (text instanceof Unread) return [describeUnread(path, text, id)];
    if (text !== undefined && isLimit(text)) return [];
    const problem = `layer "${id}" has a damaged quota file: ${quoteText(text ?? "")}`;
    return [unmendable({ kind: "quota-damaged", path, problem, layer: id }, "nobody knows what the size was")];
  });
}

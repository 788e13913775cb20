import { quoteText } from "../../errors/index.ts";
import { type Damage, unmendable } from "../finding.ts";
import { layerRecordsFolder } from "../home/records/layer-record.ts";
import { orUnread, Unread } from "../unread.ts";
import { readRecordAt, withPathIfThere } from "./store-entries.ts";

/** What cannot be read now, at `path`. */
export function describeUnread(path: string, { problem }: Unread, layer: string | undefined): Damage {
  const what = layer === undefined ? quoteText(path) : `layer "${layer}"`;
  const subject = { kind: "unreadable", path, problem: `${what} cannot be read now: ${problem}` } as const;
  const obstacle = "it may be whole; look at the disk and the kernel's log, and check again when it can be read";
  return unmendable(layer === undefined ? subject : { ...subject, layer }, obstacle);
}

/** What is wrong at `path` of a layer, or that it cannot be read now. */
export function findUnlessUnread(path: string, layer: string, find: () => readonly Damage[]): readonly Damage[] {
  const found = orUnread(find);
  return found instanceof Unread ? [describeUnread(path, found, layer)] : found;
}

/** The layers at which, or at whose records, nobody can look now, of a store that keeps them as whole trees. */
export function findUnreadLayers(home: number, layersFolder: string, ids: Iterable<string>): Damage[] {
  return [...ids].flatMap((id) => {
    const look = (path: string, read: (at: string) => unknown) => {
      const seen = orUnread(() => read(path));
      return seen instanceof Unread ? [describeUnread(path, seen, id)] : [];
    };
    const tree = look(`${layersFolder}/${id}`, (path) => withPathIfThere(home, path, () => {}));
    return tree.length > 0 ? tree : look(`${layerRecordsFolder}/${id}`, (path) => readRecordAt(home, path));
  });
}

/** As long as something cannot be read nothing is mended: what looks left over may be needed by it. */
export function withholdMends(unread: readonly Damage[], damages: readonly Damage[]): readonly Damage[] {
  const [first] = unread;
  if (first === undefined) return damages;
  const obstacle = `"${first.finding.path}" cannot be read now, and may need it`;
  return damages.map(({ finding }) => ({
    finding: { ...finding, obstacle: finding.obstacle ?? obstacle },
    mend: undefined,
  }));
}

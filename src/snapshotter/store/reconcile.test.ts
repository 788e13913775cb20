import { expect, it } from "vitest";
import { silentLogger } from "../../transport/index.ts";
import type { SnapshotRecord } from "../records/record.ts";
import type { Records } from "../records/records.ts";
import type { SnapshotStorage } from "../snapshot-storage.ts";
import { reconcile } from "./reconcile.ts";

const record = (id: number, parentId?: number) => ({ id, name: `s${id}`, kind: "active", parentId }) as SnapshotRecord;

it("takes no snapshot for gone whose files cannot be looked at now, nor off what it lies on", async () => {
  const records = { all: () => [record(1), record(2, 1), record(3)] } as unknown as Records;
  const rebased: number[] = [];
  const storage = { rebase: async (id: number) => void rebased.push(id) } as unknown as SnapshotStorage;
  const said: string[] = [];
  const logger = { ...silentLogger, warn: (_: object, message: string) => void said.push(message) };
  const places = [
    { id: 1, parentId: undefined },
    { id: 2, parentId: undefined, unreadable: "EIO: i/o error" },
  ];
  expect(await reconcile(records, places, storage, logger)).toEqual(new Set([3]));
  expect(said).toEqual(["files of a snapshot cannot be looked at now", "files of a snapshot are gone"]);
  expect(rebased).toEqual([]);
});

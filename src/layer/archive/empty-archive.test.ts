import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { withFolderAt } from "../tree/with-folder.ts";
import { archiveTree, emptyArchive } from "./archive-tree.ts";

it.each(["docker-20.10", "docker-26"] as const)("is what an empty folder is archived as, like %s", (archiveDialect) => {
  const folder = mkdtempSync(join(tmpdir(), "cleat-archive-"));
  const parts: Uint8Array[] = [];
  const options = { whiteouts: { kind: "overlay", attributePrefix: "trusted." }, ids: { uids: [], gids: [] } } as const;
  withFolderAt(folder, (descriptor) => {
    archiveTree(descriptor, { write: (bytes) => void parts.push(Buffer.from(bytes)) }, { ...options, archiveDialect });
  });
  rmdirSync(folder);
  expect(Buffer.concat(parts)).toEqual(Buffer.from(emptyArchive));
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readRecord, recordPath, writeRecord } from "./provisioned.ts";

it("a record of a later release is told from a damaged one, and neither is taken for none", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cleat-csi-record-"));
  try {
    expect(await readRecord(folder)).toBeUndefined();
    await writeRecord(folder, { askedName: "data-1" });
    expect(await readRecord(folder)).toEqual({ version: 1, askedName: "data-1" });
    for (const [text, code] of [
      ['{"version":2,"other":1}', "FAILED_PRECONDITION"],
      ['{"version":1,"other":1}', "DATA_LOSS"],
      ['{"version":1', "DATA_LOSS"],
      ["", "DATA_LOSS"],
      ["null", "DATA_LOSS"],
    ] as const) {
      await writeFile(recordPath(folder), text);
      await expect(readRecord(folder), text).rejects.toMatchObject({ code });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

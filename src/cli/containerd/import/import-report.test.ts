import { describe, expect, it } from "vitest";
import type { DockerImage } from "../../../layerstore/index.ts";
import { closingLines, type ImageOutcome } from "./import-report.ts";

const image = { id: `sha256:${"a".repeat(64)}`, names: ["app:1"], layers: [] } as unknown as DockerImage;
const imported = (sharedBytes: number, copiedBytes: number): ImageOutcome => ({
  image,
  imported: {
    digest: `sha256:${"b".repeat(64)}`,
    names: [{ name: "app:1", outcome: "made" }],
    content: { sharedBytes, copiedBytes },
  } as unknown as ImageOutcome["imported"],
});
const report = { root: "/var/lib/docker", unnamed: 0, isDryRun: false };

describe("the end of an import", () => {
  it("names the data root with which files are shared", () => {
    expect(closingLines([imported(1024, 0)], report)[1]).toMatch(
      /^of the files in new layers 1\.00 KiB are shared with \/var\/lib\/docker and 0 B copied;/,
    );
  });

  it.each([true, false])("says that there was nothing to import, dry run %s", (isDryRun) => {
    expect(closingLines([], { ...report, isDryRun })).toEqual(["there is no image to import in /var/lib/docker"]);
  });

  it.each([true, false])("says what is left out for want of a name, dry run %s", (isDryRun) => {
    expect(closingLines([], { ...report, unnamed: 2, isDryRun })).toEqual([
      "there is no image with a name to import in /var/lib/docker",
      "2 without a name left out; --unnamed imports them, too",
    ]);
  });

  it("counts nothing as done after a dry run", () => {
    expect(closingLines([{ image }], { ...report, isDryRun: true })).toEqual([]);
  });
});

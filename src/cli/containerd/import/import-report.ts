/** What an import says: a line for each layer as it comes, and an image's names when it is whole. */
import type { SharedContent } from "../../../layer/index.ts";
import type { DockerImage } from "../../../layerstore/index.ts";
import { formatBytes } from "../../stores/format-bytes.ts";
import { printable } from "../../terminal/printable.ts";
import type { ImportedImage, ImportedName } from "./import-image.ts";
import type { ImportedLayer } from "./import-layer.ts";

/** What became of an image, or would become of it. */
export interface ImageOutcome {
  readonly image: DockerImage;
  /** Nothing where it was not imported. */
  readonly imported?: ImportedImage | undefined;
  /** Why it was not. */
  readonly obstacle?: string | undefined;
}

export function imageLine({ names, id }: DockerImage): string {
  return `${printable(names.join(", ") || "<none>")} (${shortDigest(id)})`;
}

export function layerLine(diffId: string, at: number, count: number, what: string): string {
  return `  layer ${at + 1} of ${count}  ${shortDigest(diffId)}  ${what}`;
}

export function describeLayer({ descriptor, wasUnpacked }: ImportedLayer): string {
  return wasUnpacked ? "there already" : `imported, ${formatBytes(descriptor.size)}`;
}

export function nameLine({ name, outcome }: ImportedName): string {
  return `  ${printable(name)}  ${nameOutcomes[outcome]}`;
}

const nameOutcomes: Readonly<Record<ImportedName["outcome"], string>> = {
  made: "imported",
  there: "there already",
  kept: "left as it is: containerd has another image of that name",
};

/** Of one import, whatever became of its images. */
export interface ImportedFrom {
  /** The data root, as it was named. */
  readonly root: string;
  /** How many images were left out because they have no name. */
  readonly unnamed: number;
  readonly isDryRun: boolean;
}

/** What was done, and what the reader has to know: nothing is left out silently. */
export function closingLines(outcomes: readonly ImageOutcome[], { root, unnamed, isDryRun }: ImportedFrom): string[] {
  const leftOut = unnamed > 0 ? [`${unnamed} without a name left out; --unnamed imports them, too`] : [];
  if (outcomes.length === 0) {
    return [`there is no image ${unnamed > 0 ? "with a name " : ""}to import in ${printable(root)}`, ...leftOut];
  }
  if (isDryRun) return leftOut;
  const names = outcomes.flatMap(({ imported }) => imported?.names ?? []);
  const count = (outcome: ImportedName["outcome"]) => names.filter((one) => one.outcome === outcome).length;
  const failed = outcomes.filter(({ obstacle }) => obstacle !== undefined).length;
  const lines = [
    `${count("made")} imported, ${count("there")} there already, ${count("kept")} left as they were, ${failed} failed`,
  ];
  const { sharedBytes, copiedBytes } = contentOf(outcomes);
  if (sharedBytes + copiedBytes > 0) {
    const shared = `${formatBytes(sharedBytes)} are shared with ${printable(root)}`;
    const copied = `${formatBytes(copiedBytes)} copied; the layers' archives are copies`;
    lines.push(`of the files in new layers ${shared} and ${copied}`);
  }
  lines.push(...leftOut);
  if (count("made") > 0) lines.push(digestNote);
  return lines;
}

function contentOf(outcomes: readonly ImageOutcome[]): SharedContent {
  const contents = outcomes.flatMap(({ imported }) => imported?.content ?? []);
  const sum = (of: keyof SharedContent) => contents.reduce((total, one) => total + one[of], 0);
  return { sharedBytes: sum("sharedBytes"), copiedBytes: sum("copiedBytes") };
}

const digestNote =
  "Their digests in a registry are no longer known, as layers are not compressed here; docker pull brings them back.";

export function toJson(outcomes: readonly ImageOutcome[], unnamed: number, isDryRun: boolean): unknown {
  const images = outcomes.map(({ image, imported, obstacle }) => ({
    id: image.id,
    names: imported?.names ?? image.names.map((name) => ({ name })),
    digest: imported?.digest ?? null,
    layers: image.layers.map(({ diffId, chainId }) => ({ diffId, chainId })),
    obstacle: obstacle ?? null,
  }));
  return { version: 1, dryRun: isDryRun, images, unnamed, ...contentOf(outcomes) };
}

/** As many digits as Docker's own tables show. */
function shortDigest(digest: string): string {
  return digest.slice(0, "sha256:".length + 12);
}

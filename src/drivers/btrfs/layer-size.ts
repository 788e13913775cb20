/** The limit on what a layer may hold. These functions block and run on workers. */
import { mkdirSync, writeFileSync } from "node:fs";
import { CleatError, quoteText } from "../../errors/index.ts";
import { withFolderAt } from "../../layer/index.ts";
import {
  enableQuotas,
  limitReferenced,
  quotaState,
  type QuotaState,
  referencedBytes,
  rescanQuotas,
  subvolumeInfo,
  waitForQuotaScan,
} from "../../syscall/index.ts";
import { readIfThere } from "../../graphdriver/job-kit.ts";
import { layerPath, quotaPath, quotasFolder } from "./layout.ts";

/**
 * Limits an open subvolume. The first limit on a file system turns its quotas on, and waits until the kernel has
 * counted what is there: before that a limit would be measured against nothing.
 * @throws INVALID_ARGUMENT when the subvolume holds as much already, and nothing could be written.
 */
export function limitSubvolume(subvolume: number, sizeBytes: number): void {
  countReferences(subvolume);
  const referenced = referencedBytes(subvolume, subvolumeInfo(subvolume).id);
  if (referenced !== undefined && referenced >= sizeBytes) {
    const why = `what lies below it takes ${referenced} bytes, which count`;
    throw new CleatError("INVALID_ARGUMENT", `a size of ${sizeBytes} bytes leaves no room: ${why}`);
  }
  limitReferenced(subvolume, sizeBytes);
}

function countReferences(subvolume: number): void {
  const state = quotaState(subvolume);
  if (state === "off") enableQuotas(subvolume);
  else if (state === "inconsistent") rescanQuotas(subvolume);
  waitForQuotaScan(subvolume);
}

/** Writes down what a layer's limit is. */
export function recordLimit(home: string, id: string, sizeBytes: number, durable: boolean): void {
  mkdirSync(`${home}/${quotasFolder}`, { recursive: true, mode: 0o700 });
  writeFileSync(quotaPath(home, id), String(sizeBytes), { mode: 0o644, flush: durable });
}

/**
 * The limit that is written down for a layer, in bytes.
 * @throws DATA_LOSS when the record is damaged.
 */
export function recordedLimit(home: string, id: string): number | undefined {
  const text = readIfThere(quotaPath(home, id));
  if (text === undefined) return undefined;
  if (isLimit(text)) return Number(text);
  throw new CleatError("DATA_LOSS", `layer "${id}" has a damaged quota file: ${quoteText(text)}`);
}

export function isLimit(text: string): boolean {
  return /^\d{1,16}$/.test(text) && Number(text) > 0 && Number.isSafeInteger(Number(text));
}

/**
 * Limits a layer as it is written down. Docker's own driver turns the quotas of the whole file system off when its
 * daemon stops, and with them every limit goes. Source: moby v20.10.24 `btrfs.go` `Cleanup`.
 */
export function renewLimit(home: string, id: string): void {
  const sizeBytes = recordedLimit(home, id);
  if (sizeBytes === undefined) return;
  withFolderAt(layerPath(home, id), (subvolume) => {
    countReferences(subvolume);
    limitReferenced(subvolume, sizeBytes);
  });
}

export interface LimitUsage {
  readonly limitBytes: number;
  /** Of the last commit of the file system; `undefined` while quotas are off. */
  readonly referencedBytes: number | undefined;
}

/** What a layer may hold and holds, image and all; `undefined` for a layer without a limit. */
export function usageOf(home: string, id: string): LimitUsage | undefined {
  const limitBytes = recordedLimit(home, id);
  if (limitBytes === undefined) return undefined;
  return withFolderAt(layerPath(home, id), (subvolume) => ({
    limitBytes,
    referencedBytes: referencedBytes(subvolume, subvolumeInfo(subvolume).id),
  }));
}

export function quotaStateOf(home: string): QuotaState {
  return withFolderAt(home, quotaState);
}

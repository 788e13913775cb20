import { CleatError } from "../../../errors/index.ts";
import type { MountSpec } from "../../../graphdriver/index.ts";
import { bindSpec } from "../../../graphdriver/job-kit.ts";
import { isThere } from "../../../syscall/index.ts";
import { belowLayer, type LayerStack, readLayer } from "../layout/layout.ts";

/** Who mounts a layer for somebody else. */
export interface OverlayMounter {
  /** "overlay", "fuse3.fuse-overlayfs" */
  readonly type: string;
  /** What each mount is told beside the folders: "index=off". */
  readonly switches: readonly string[];
  /** The most layers that it takes, the one to be written to not counted. */
  readonly maxLayers: number;
}

/**
 * What mount(2) takes as data: a page less its NUL. containerd changes into the folder that all layers lie in when the
 * paths do not fit, and names them relative to that. Source: containerd v2.1.9 `core/mount/mount_linux.go`
 * `compactLowerdirOption`.
 */
const maxDataBytes = 4095;

/**
 * The one mount that shows a layer. Costs a small file or two, and a link for each layer below; blocks for that, which
 * is less than going to a worker takes.
 *
 * Folders are named as they are, not by their short links: buildkit compares these paths as text, and the applier of
 * containerd looks whether what it is to fill is a folder. Source: containerd v2.1.9
 * `plugins/snapshots/overlay/overlay.go` `mounts`.
 * @throws NOT_FOUND, DATA_LOSS for damaged files, OUT_OF_RANGE when the stack is too deep for one mount.
 * @throws FAILED_PRECONDITION when a layer below is gone, when the layer has a child and is to be written to, or when
 * the home's path cannot be told in options.
 */
export function mountSpecOf(home: string, id: string, readOnly: boolean, mounter: OverlayMounter): MountSpec {
  const layer = readLayer(home, id);
  if (!readOnly && isThere(`${home}/${id}/committed`)) throw isParent(id);
  return toMountSpec(home, layer, readOnly, mounter);
}

/** The same of a layer whose files were read, or are being written. @throws as that, but for its own files. */
export function toMountSpec(home: string, layer: LayerStack, readOnly: boolean, mounter: OverlayMounter): MountSpec {
  const { id } = layer;
  const diff = `${home}/${id}/diff`;
  if (layer.lowers.length === 0) return bindSpec(diff, readOnly);
  const below = belowLayer(home, layer);
  const lowers = readOnly ? [id, ...below] : below;
  assertNameable(home);
  assertFits(home, id, lowers, readOnly, mounter);
  const own = readOnly ? [] : [`workdir=${home}/${id}/work`, `upperdir=${diff}`];
  const options = [...mounter.switches, ...own, `lowerdir=${lowers.map((lower) => `${home}/${lower}/diff`).join(":")}`];
  return { type: mounter.type, source: "overlay", options };
}

function isParent(id: string): CleatError {
  const message = `layer "${id}" cannot be mounted to be written to: another layer was laid on it`;
  return new CleatError("FAILED_PRECONDITION", message);
}

/** With a longer home, upper and work folder leave no room for 128 layers in what mount(2) takes. */
const maxHomeBytes = 1_000;

/**
 * Whether others can be told of the home's layers in the options of a mount; who reads those escapes in ways of his
 * own, if at all.
 * @throws FAILED_PRECONDITION when they cannot.
 */
export function assertNameable(home: string): void {
  const [found] = /[,:\\]/.exec(home) ?? [];
  const bytes = Buffer.byteLength(home);
  if (found === undefined && bytes <= maxHomeBytes) return;
  const problem = found === undefined ? `is ${bytes} bytes long, more than ${maxHomeBytes}` : `holds "${found}"`;
  const message = `home ${JSON.stringify(home)} cannot be named in the options of a mount, as it ${problem}`;
  throw new CleatError("FAILED_PRECONDITION", message);
}

function assertFits(
  home: string,
  id: string,
  lowers: readonly string[],
  readOnly: boolean,
  { switches, maxLayers }: OverlayMounter,
): void {
  if (lowers.length > maxLayers) throw tooDeep(id, `${lowers.length} layers, more than ${maxLayers}`);
  const own = readOnly ? [] : [`workdir=${home}/${id}/work`, `upperdir=${home}/${id}/diff`];
  const data = [...switches, ...own, `lowerdir=${lowers.map((lower) => `${lower}/diff`).join(":")}`].join(",");
  const bytes = Buffer.byteLength(data);
  if (bytes > maxDataBytes)
    throw tooDeep(id, `${lowers.length} layers, whose names take ${bytes} of ${maxDataBytes} bytes`);
}

function tooDeep(id: string, what: string): CleatError {
  return new CleatError("OUT_OF_RANGE", `layer "${id}" is too deep for one mount: ${what}`);
}

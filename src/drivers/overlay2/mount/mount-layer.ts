import { mkdirSync } from "node:fs";
import {
  CleatError,
  isSystemError,
  SystemError,
  toCleatError,
  UnsupportedError,
  withSubject,
} from "../../../errors/index.ts";
import { joinFeatures, type OverlayPrefix, withFolderAt } from "../../../layer/index.ts";
import {
  AT_FDCWD,
  changeDirectory,
  chownat,
  close,
  errnos,
  fsconfigFlag,
  fsconfigString,
  fsmount,
  fsopen,
  isMountPoint,
  isThere,
  lastErrno,
  MNT_DETACH,
  mount,
  moveMount,
  tryRmdirat,
  umountIfMounted,
} from "../../../syscall/index.ts";
import { takeBack } from "../../../graphdriver/job-kit.ts";
import { findMountedLayers } from "../../overlay/mounts/find-mounted.ts";
import { featuresOf, markWhole } from "../../overlay/mounts/layer-features.ts";
import { lowerIds, readLayer } from "../../overlay/layout/layout.ts";
import { type MountSwitch, mountSwitches } from "./mount-switches.ts";

/**
 * What mount(2) takes as data: a page less its NUL. Docker's links of 28 characters let 128 layers fit, given relative
 * to the home. Source: mount(2).
 */
const maxDataBytes = 4095;

export interface MountLayerOptions {
  readonly mountLabel: string;
  readonly rootUid: number;
  readonly rootGid: number;
  /** Whether the kernel takes layers one by one (`lowerdir+`, Linux 6.5). */
  readonly layerByLayer: boolean;
  readonly attributePrefix: OverlayPrefix;
  /** Whether it is known to have a child, though it need not say so. */
  readonly isParent?: boolean;
}

/**
 * Mounts a layer at `<id>/merged`, or finds it mounted there, and returns where it can be seen; a layer without a
 * parent is its diff folder. Read-only once it has a child. Runs on a worker, whose working directory becomes the home,
 * so that the layers' paths are short.
 */
export function mountLayer(home: string, id: string, options: MountLayerOptions): string {
  const files = readLayer(home, id);
  const { lowers } = files;
  if (lowers.length === 0) return `${home}/${id}/diff`;
  const readOnly = options.isParent === true || isThere(`${home}/${id}/committed`);
  const merged = `${home}/${id}/merged`;
  withFolderAt(home, (folder) => {
    // The list of all mounts grows with the containers that run; it is read where something is mounted, whatever it is.
    const isMounted = isMountPoint(folder, `${id}/merged`) !== false && findMountedLayers(home).includes(id);
    if (isMounted) return;
    mkdirSync(merged, { recursive: true, mode: 0o700 });
    const isRoots = options.rootUid === 0 && options.rootGid === 0;
    if (!isRoots) chownat(folder, `${id}/merged`, options.rootUid, options.rootGid);
    const { attributePrefix } = options;
    const parameters = readOnly ? readOnlyParameters(id, lowers) : writableParameters(id, lowers);
    changeDirectory(folder);
    try {
      const own = featuresOf(home, [id], attributePrefix);
      const features = joinFeatures(own, featuresOf(home, lowerIds(home, files), attributePrefix));
      mountAt(`${id}/merged`, parameters, mountSwitches(attributePrefix, features), options);
      // Inside a user namespace overlay must own it to move folders up.
      if (!readOnly && !isRoots) chownat(folder, `${id}/work/work`, options.rootUid, options.rootGid);
      if (!readOnly && !own.redirects && !features.metacopies) markWhole(home, id, attributePrefix);
    } catch (error) {
      const failure = takeBack(error, () => unmountLayer(home, id));
      throw withSubject(failure, `layer "${id}" cannot be mounted`);
    }
  });
  return merged;
}

interface Parameters {
  readonly lowers: readonly string[];
  readonly upper?: string;
  readonly work?: string;
}

function readOnlyParameters(id: string, lowers: readonly string[]): Parameters {
  return { lowers: [`${id}/diff`, ...lowers] };
}

function writableParameters(id: string, lowers: readonly string[]): Parameters {
  return { lowers, upper: `${id}/diff`, work: `${id}/work` };
}

function mountAt(
  target: string,
  parameters: Parameters,
  switches: readonly MountSwitch[],
  { mountLabel, layerByLayer }: MountLayerOptions,
): void {
  const data = formatData(parameters, switches, mountLabel);
  if (Buffer.byteLength(data) <= maxDataBytes) mount("overlay", target, "overlay", 0, data);
  else if (layerByLayer) mountLayerByLayer(target, parameters, switches, mountLabel);
  else {
    throw new UnsupportedError(`a mount of ${parameters.lowers.length} layers`, {
      needed: "overlay's lowerdir+ of Linux 6.5",
      probed: "fsconfig(2)",
      seen: `a kernel that takes all layers in one page, where ${Buffer.byteLength(data)} bytes do not fit`,
    });
  }
}

function formatData({ lowers, upper, work }: Parameters, switches: readonly MountSwitch[], mountLabel: string): string {
  const data = switches.map((one) => one.join("="));
  data.push(`lowerdir=${lowers.join(":")}`);
  if (upper !== undefined) data.push(`upperdir=${upper}`, `workdir=${work}`);
  if (mountLabel !== "") data.push(`context="${checkLabel(mountLabel)}"`);
  return data.join(",");
}

/** A label ends at its quote; one that has quotes of its own could add mount options. */
function checkLabel(label: string): string {
  if (!/["\\\0]/.test(label)) return label;
  throw new CleatError("INVALID_ARGUMENT", `mount label ${JSON.stringify(label)} holds a quote, a backslash or a NUL`);
}

function mountLayerByLayer(
  target: string,
  { lowers, upper, work }: Parameters,
  switches: readonly MountSwitch[],
  mountLabel: string,
): void {
  const context = fsopen("overlay");
  try {
    fsconfigString(context, "source", "overlay");
    for (const [name, value] of switches) {
      if (value === undefined) fsconfigFlag(context, name);
      else fsconfigString(context, name, value);
    }
    for (const lower of lowers) fsconfigString(context, "lowerdir+", lower);
    if (upper !== undefined && work !== undefined) {
      fsconfigString(context, "upperdir", upper);
      fsconfigString(context, "workdir", work);
    }
    if (mountLabel !== "") fsconfigString(context, "context", checkLabel(mountLabel));
    const made = fsmount(context, 0);
    try {
      moveMount(made, target);
    } finally {
      close(made);
    }
  } finally {
    close(context);
  }
}

/** Whether the kernel knows `lowerdir+`; asks it, without mounting anything. */
export function takesLayerByLayer(home: string): boolean {
  try {
    const context = fsopen("overlay");
    try {
      fsconfigString(context, "lowerdir+", home);
      return true;
    } finally {
      close(context);
    }
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

/**
 * Unmounts a layer, at once for new users and for good when the last open file in it is closed, and removes the mount
 * point, which makes the kernel let go of copies of the mount in other namespaces. Not mounted is success.
 */
export function unmountLayer(home: string, id: string): void {
  const merged = `${home}/${id}/merged`;
  try {
    umountIfMounted(merged, MNT_DETACH);
  } catch (error) {
    throw toCleatError(error, `layer "${id}" cannot be unmounted`);
  }
  if (tryRmdirat(AT_FDCWD, merged)) return;
  const errno = lastErrno();
  // Busy: mounted in a namespace that keeps it. The next mount uses the folder as it is.
  if (errno !== errnos.ENOENT && errno !== errnos.EBUSY) throw new SystemError(errno, "rmdir", merged);
}

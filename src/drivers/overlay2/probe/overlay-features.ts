import { mkdirSync, readFileSync } from "node:fs";
import { isSystemError } from "../../../errors/index.ts";
import { close, fsconfigString, fsmount, fsopen } from "../../../syscall/index.ts";
import type { ProbedFeature } from "../../../graphdriver/index.ts";
import { kernelMaxLayers } from "../../overlay/mounts/kernel-layers.ts";
import type { TryOverlay } from "./private-overlays.ts";

/** Switches of the overlay module, each with a default that the machine's owner may have changed. */
const switches = ["metacopy", "redirect_dir", "index"] as const;

/**
 * What overlay can do, by mounting it so: over the folder, or in memory where the folder cannot be below an overlay.
 */
export function mountedFeatures(
  tryOverlayAt: TryOverlay,
  overFolder: boolean,
  userNamespace: number | undefined,
): ProbedFeature[] {
  const tryOverlay: TryOverlay = (options) => tryOverlayAt(options, { overFolder });
  return [
    ...switches.map((name) => bySwitch(name, tryOverlay)),
    ...(["userxattr", "volatile"] as const).map((name) => byOption(name, tryOverlay)),
    idMappedLayers(tryOverlayAt, userNamespace),
    manyLayers(),
  ];
}

/** What overlay can do, as far as its module says so to anybody. */
export function parameterFeatures(): ProbedFeature[] {
  const unknown = { state: "unknown", how: "not privileged to mount" } as const;
  return [
    ...switches.map((name): ProbedFeature => {
      const value = defaultOf(name);
      if (value === undefined) return { name, ...unknown };
      return { name, state: "yes", how: "module parameter", note: `kernel default ${value}` };
    }),
    ...["userxattr", "volatile", idMapped, layersName].map((name) => ({ name, ...unknown })),
  ];
}

/** A kernel that cannot do it on a file system mounts without it, and shows so. */
function bySwitch(name: (typeof switches)[number], tryOverlay: TryOverlay): ProbedFeature {
  const { error, shown } = tryOverlay([`${name}=on`]);
  const value = defaultOf(name);
  const isOn =
    error === undefined && (shown.includes(`${name}=on`) || (value === "on" && !shown.includes(`${name}=off`)));
  const note = value === undefined ? error?.message : `kernel default ${value}`;
  return { name, state: isOn ? "yes" : "no", how: "mounted", note };
}

function byOption(name: string, tryOverlay: TryOverlay): ProbedFeature {
  const { error } = tryOverlay([name]);
  return { name, state: error === undefined ? "yes" : "no", how: "mounted", note: error?.message };
}

const idMapped = "id-mapped layers";

/** Whether the folder can be mounted with other owners, and be a layer then. */
function idMappedLayers(tryOverlay: TryOverlay, userNamespace: number | undefined): ProbedFeature {
  if (userNamespace === undefined) {
    return { name: idMapped, state: "unknown", how: "unshare(1)", note: "no user namespace can be made" };
  }
  const { error } = tryOverlay([], { overFolder: true, userNamespace });
  return { name: idMapped, state: error === undefined ? "yes" : "no", how: "mounted", note: error?.message };
}

function defaultOf(name: string): "on" | "off" | undefined {
  try {
    return readFileSync(`/sys/module/overlay/parameters/${name}`, "utf8").trim() === "Y" ? "on" : "off";
  } catch (error) {
    if (isSystemError(error, "ENOENT", "EACCES")) return undefined;
    throw error;
  }
}

const layersName = `${kernelMaxLayers} layers`;

/** The working directory is memory, as `withPrivateOverlays` leaves it. */
function manyLayers(): ProbedFeature {
  const name = layersName;
  const how = "mounted with lowerdir+";
  for (let layer = 0; layer < kernelMaxLayers; layer++) mkdirSync(`/dev/layers/${layer}`, { recursive: true });
  try {
    const context = fsopen("overlay");
    try {
      for (let layer = 0; layer < kernelMaxLayers; layer++) fsconfigString(context, "lowerdir+", `layers/${layer}`);
      close(fsmount(context, 0));
      return { name, state: "yes", how };
    } finally {
      close(context);
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return { name, state: "no", how, note: error.message };
  }
}

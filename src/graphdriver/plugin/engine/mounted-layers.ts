import { readMounts } from "../../../syscall/index.ts";
import { layerIdPattern } from "../../layer-id.ts";
import { resolveHome } from "./homes.ts";

/** The layers of a home in whose folders anything is mounted now, whichever driver's they are. */
export function findMountedLayers(home: string): ReadonlySet<string> {
  const below = `${resolveHome(home)}/`;
  const ids = readMounts()
    .filter(({ mountPoint }) => mountPoint.startsWith(below))
    .map(({ mountPoint }) => mountPoint.slice(below.length).split("/")[0] ?? "");
  return new Set(ids.filter((id) => layerIdPattern.test(id)));
}

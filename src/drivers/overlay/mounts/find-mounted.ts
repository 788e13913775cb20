import { readMounts } from "../../../syscall/index.ts";

/** The layers of a home that are mounted now, whoever mounted them. `home` has its symlinks resolved. */
export function findMountedLayers(home: string): string[] {
  return findMountedOfType(home, (type) => type === "overlay");
}

/** The layers on which a file system of such a type is mounted; one that is mounted twice comes twice. */
export function findMountedOfType(home: string, isOfType: (fileSystemType: string) => boolean): string[] {
  return readMounts()
    .filter(({ mountPoint, fileSystemType }) => isOfType(fileSystemType) && mountPoint.startsWith(`${home}/`))
    .map(({ mountPoint }) => mountPoint.slice(home.length + 1).split("/"))
    .filter(([, folder, ...rest]) => folder === "merged" && rest.length === 0)
    .map(([id]) => id as string);
}

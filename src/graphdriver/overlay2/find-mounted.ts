import { readMounts } from "../../syscall/index.ts";

/** The layers of a home that are mounted now, whoever mounted them. `home` has its symlinks resolved. */
export function findMountedLayers(home: string): string[] {
  return findMountedAs(home, (fileSystemType) => fileSystemType === "overlay");
}

/** Those whose mount is of such a type; one that is mounted twice comes twice. */
export function findMountedAs(home: string, isOfDriver: (fileSystemType: string) => boolean): string[] {
  return readMounts()
    .filter(({ mountPoint, fileSystemType }) => isOfDriver(fileSystemType) && mountPoint.startsWith(`${home}/`))
    .map(({ mountPoint }) => mountPoint.slice(home.length + 1).split("/"))
    .filter(([, folder, ...rest]) => folder === "merged" && rest.length === 0)
    .map(([id]) => id as string);
}

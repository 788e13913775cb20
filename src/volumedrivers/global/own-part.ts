import { toCleatError } from "../../errors/index.ts";
import type { ManagedVolumes } from "../managed/open-managed-volumes.ts";
import type { OwnMounts } from "../managed/own-mounts.ts";
import type { SharedVolume } from "./shared-records.ts";

/** What this host has of volumes that it shares: it is made when one is mounted here first. */
export interface OwnPart {
  names(): Promise<string[]>;
  holders(name: string): readonly string[];
  /** Whether its files are there, as the kernel says; also while nobody holds it, and it is busy. */
  isMounted(name: string): boolean;
  /** Whether nothing of it is mounted, nor may be: no record says so, nor the kernel, and nobody is about it. */
  isFree(name: string): Promise<boolean>;
  /** Where there is one. @throws FAILED_PRECONDITION while this host has files of it that its server has not. */
  assertSent(name: string): Promise<void>;
  /** Whether it is another volume of that name. */
  isAnother(name: string, volume: SharedVolume): Promise<boolean>;
  /** Lets it be what the record says; what another of that name has left goes. */
  make(name: string, volume: Pick<SharedVolume, "options">): Promise<void>;
  /** Where there is one. */
  remove(name: string): Promise<void>;
}

export function createOwnPart(local: ManagedVolumes, mounts: OwnMounts): OwnPart {
  const create = (name: string, { options }: Pick<SharedVolume, "options">) => local.create(name, { options });
  const holders = (name: string): readonly string[] => {
    try {
      return local.holders(name);
    } catch (error) {
      unlessIs("NOT_FOUND", error);
      return [];
    }
  };
  return {
    names: async () => (await local.list()).map(({ name }) => name),
    holders,
    isMounted: mounts.isMounted,
    isFree: mounts.isFree,
    assertSent: mounts.assertRemovable,
    async isAnother(name, volume) {
      try {
        await create(name, volume);
        return false;
      } catch (error) {
        unlessIs("ALREADY_EXISTS", error);
        return true;
      }
    },
    async make(name, volume) {
      try {
        await create(name, volume);
      } catch (error) {
        unlessIs("ALREADY_EXISTS", error);
        await local.remove(name);
        await create(name, volume);
      }
    },
    remove: (name) => local.remove(name).catch((error) => unlessIs("NOT_FOUND", error)),
  };
}

function unlessIs(code: "NOT_FOUND" | "ALREADY_EXISTS", error: unknown): undefined {
  if (toCleatError(error).code !== code) throw error;
}

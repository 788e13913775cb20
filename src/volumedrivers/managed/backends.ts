import { CleatError, quoteText } from "../../errors/index.ts";
import type { GivenOptions } from "../options/read-options.ts";
import type { TypedVolumesOptions } from "./open-managed-volumes.ts";
import type { VolumeBackend } from "./volume-backend.ts";

export type BackendOptions = VolumeBackend | TypedVolumesOptions;

/** The kinds of volumes of a driver: one, or those that the option `type` tells apart. */
export interface Backends {
  /** The backend that a user's options ask for, and those that are its own. */
  select(given: GivenOptions): { type: string | undefined; backend: VolumeBackend; own: GivenOptions };
  /** None of a type that the driver had once. */
  find(type: string | undefined): VolumeBackend | undefined;
  /** @throws FAILED_PRECONDITION in its place. */
  of(type: string | undefined): { backend: VolumeBackend };
}

export function readBackends(options: BackendOptions): Backends {
  if (!("types" in options)) {
    const backend = options;
    return {
      select: (given) => ({ type: undefined, backend, own: given }),
      find: () => backend,
      of: () => ({ backend }),
    };
  }
  const { types, defaultType, otherTypes } = options;
  const find = (type: string): VolumeBackend | undefined =>
    Object.hasOwn(types, type) ? types[type] : /^[\w.-]+$/.test(type) ? otherTypes : undefined;
  const known = Object.keys(types).toSorted().join(", ");
  return {
    select({ type = defaultType, ...own }) {
      if (type === undefined) throw new CleatError("INVALID_ARGUMENT", `option "type" is needed; known are ${known}`);
      const backend = find(type);
      if (backend !== undefined) return { type, backend, own };
      throw new CleatError("INVALID_ARGUMENT", `option "type": ${quoteText(type)} is unknown; known are ${known}`);
    },
    find: (type = "") => find(type),
    of(type = "") {
      const backend = find(type);
      if (backend !== undefined) return { backend };
      throw new CleatError("FAILED_PRECONDITION", unknownType(type));
    },
  };
}

export function unknownType(type = ""): string {
  return `volumes of type ${quoteText(type)} are not known here any more`;
}

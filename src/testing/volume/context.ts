import { AssertionError } from "node:assert";
import { randomUUID } from "node:crypto";
import type { ErrorCode } from "../../errors/index.ts";
import { CleatError, toCleatError } from "../../errors/index.ts";
import type { VolumeDriver } from "../../volume/index.ts";
import type { Check } from "../check.ts";
import type { WireContext } from "../protocol/context.ts";
import { assertRefused, type Refusals } from "../refusals.ts";

/** What a check of volume drivers is given: a driver, and what it may do with it. */
export interface VolumeContext extends AsyncDisposable {
  /** Local or remote. Engines that call it directly are told of nothing: what a check mounts it does by `mount`. */
  readonly driver: VolumeDriver;
  /** The same driver as others send to it; `undefined` where it is in this process. */
  readonly wire: WireContext | undefined;
  /** What volumes are made with. */
  readonly options: Readonly<Record<string, string>>;
  /** Whether paths that the driver tells are paths here too. */
  readonly seesFiles: boolean;
  /** Ends the driver's process by SIGKILL and starts another; `undefined` where nobody can. */
  readonly killAndRestart: (() => Promise<void>) | undefined;
  /** How long a list of 20 volumes may take. */
  readonly listLimitMs: number;
  /** A name that no volume has; what is made under it is removed after the check. */
  newName(): string;
  /** Makes a volume. */
  create(name?: string): Promise<string>;
  /** Mounts for a holder, who gives it back after the check at the latest. */
  mount(name: string, id: string): Promise<string>;
  /** Fails unless the call is answered with a failure of one of the codes, in one line that names the volume. */
  refused(call: Promise<unknown>, codes: ErrorCode | readonly ErrorCode[], name: string): Promise<void>;
}

/** One promise of the volume driver contract, or one thing that engines do. */
export type VolumeCheck = Check<VolumeContext>;

export interface VolumeContextOptions extends Pick<
  VolumeContext,
  "driver" | "wire" | "options" | "seesFiles" | "killAndRestart" | "listLimitMs"
> {
  readonly refusals: Refusals;
}

/** What every name begins with that a check makes. */
export const namePrefix = "cleat-check-";

export function createVolumeContext(given: VolumeContextOptions): VolumeContext {
  const { driver, options, refusals } = given;
  const names: string[] = [];
  const holders: [name: string, id: string][] = [];
  const newName = () => {
    const name = `${namePrefix}${randomUUID().slice(0, 13)}`;
    names.push(name);
    return name;
  };
  return {
    ...given,
    newName,
    async create(name = newName()) {
      await driver.create(name, { options });
      return name;
    },
    async mount(name, id) {
      holders.push([name, id]);
      return await driver.mount(name, id);
    },
    refused: (call, codes, name) => assertRefused(call, codes, name, refusals),
    async [Symbol.asyncDispose]() {
      for (const [name, id] of holders) await driver.unmount(name, id).catch(() => {}); // many have been given back
      const errors: unknown[] = [];
      for (const name of names) await remove(driver, name).catch((error: unknown) => errors.push(error));
      if (errors.length > 0) throw new AggregateError(errors, `cannot be removed: ${String(errors[0])}`);
      const left = (await driver.list()).filter(({ name }) => names.includes(name));
      if (left.length === 0) return;
      throw new AssertionError({
        message: `still listed after its removal: ${left.map(({ name }) => name).join(", ")}`,
      });
    },
  };
}

/** What is not there any more is removed. */
async function remove(driver: VolumeDriver, name: string): Promise<void> {
  const found = await driver.get(name).catch((error: unknown) => {
    const { code } = toCleatError(error);
    if (error instanceof CleatError && code !== "UNAVAILABLE" && code !== "DEADLINE_EXCEEDED") return undefined;
    throw error;
  });
  if (found !== undefined) await driver.remove(name);
}

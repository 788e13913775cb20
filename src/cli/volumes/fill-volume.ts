import { CleatError, toCleatError } from "../../errors/index.ts";
import type { VolumeDriver } from "../../volume/index.ts";

const holder = "cleat-restore";

/**
 * Makes a volume of a running driver's, and fills it. Engines' protocol knows no volume in the making: it is made, and
 * removed if it cannot be filled; what cannot be removed is told beside the first error.
 * @throws ALREADY_EXISTS when there is one, or somebody else makes it at the same time: theirs is not touched.
 */
export async function fillNewVolume(
  name: string,
  options: Readonly<Record<string, string>>,
  driver: VolumeDriver,
  fill: (path: string) => Promise<void>,
): Promise<void> {
  const names = (await driver.list()).map((one) => one.name);
  if (names.includes(name)) throw new CleatError("ALREADY_EXISTS", `volume "${name}" exists`);
  const askedMs = Date.now();
  await driver.create(name, { options });
  await assertMadeSince(askedMs, name, driver);
  let isMounted = false;
  try {
    const path = await driver.mount(name, holder);
    isMounted = true;
    await fill(path);
  } catch (error) {
    throw await removeHalf(name, driver, isMounted, error);
  }
  await driver.unmount(name, holder).catch((error: unknown) => {
    const { code, message } = toCleatError(error);
    const whole = `volume "${name}" is restored and whole, but counts as in use: ${message}`;
    throw new CleatError(code, whole, { cause: error });
  });
}

/** Drivers make a volume only once: with the same options, whoever comes second succeeds as well. */
async function assertMadeSince(askedMs: number, name: string, driver: VolumeDriver): Promise<void> {
  const { createdAt } = await driver.get(name).catch((error: unknown) => {
    const { code, message } = toCleatError(error);
    throw new CleatError(code, `${message}; volume "${name}" is left, and empty unless somebody else made it`);
  });
  if (createdAt === undefined) return;
  const bornMs = createdAt.getTime();
  const earliestMs = bornMs % 1000 === 0 ? Math.floor(askedMs / 1000) * 1000 : askedMs; // some tell whole seconds
  if (bornMs < earliestMs) {
    throw new CleatError("ALREADY_EXISTS", `volume "${name}" was made by somebody else just now, and is left to them`);
  }
}

/** @returns why it cannot be filled, with what of it is left. */
async function removeHalf(name: string, driver: VolumeDriver, isMounted: boolean, first: unknown): Promise<unknown> {
  const failures: (readonly [what: string, error: unknown])[] = [];
  const attempt = (what: string, work: Promise<void>) =>
    work.then(
      () => true,
      (error: unknown) => (failures.push([what, error]), false),
    );
  if (isMounted) await attempt("unmounted", driver.unmount(name, holder));
  if (await attempt("removed", driver.remove(name))) return first;
  const { code, message } = toCleatError(first);
  const reasons = failures.map(([what, error]) => `it cannot be ${what}: ${toCleatError(error).message}`);
  const left = `volume "${name}" is left, which holds a part of it`;
  const cause = new AggregateError([first, ...failures.map(([, error]) => error)]);
  return new CleatError(code, `${message}; ${left}: ${reasons.join("; ")}`, { cause });
}

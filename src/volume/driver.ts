/**
 * The volume driver contract. This file is the manual.
 *
 * A volume driver keeps **volumes**: named folders with a life of their own, which engines mount into containers. A
 * volume is created once, mounted and unmounted any number of times, and removed.
 *
 *     await driver.create("data", { options: { size: "1g" } })
 *     const path = await driver.mount("data", "c1")   a folder of the host, there until the last holder has gone
 *     await driver.mount("data", "c2")                the same path
 *     await driver.unmount("data", "c1")
 *     await driver.unmount("data", "c2")              the last one: the driver may unmount now
 *     await driver.remove("data")
 *
 * ## Words
 *
 * - **name**: chosen by the engine or its user, of the form `volumeNamePattern`: nothing that a path would resolve.
 *   Docker checks the names of its own volumes only; `createVolumeDriverPlugin` hands no other on to a driver.
 * - **holder**: the `id` of a `mount`, given back by the `unmount` with the same id. Docker makes one for each mount,
 *   Podman uses one for all containers: so holders are a *set*, and mounting twice with one id is mounting once.
 * - **scope**: of a `local` driver each host has volumes of its own; of a `global` one all hosts see the same.
 *
 * ## Promises
 *
 * - Engines give up waiting (Docker after one or two minutes, Podman after 5 s) and call again: every method may be
 *   called again after a failure, and `mount` goes on where it was.
 * - Engines forget, and are restarted; a driver never asks them anything.
 * - Messages of errors name the volume, and never the value of an option, which may be a password.
 *
 * Every method may reject with NOT_FOUND (no such volume), FAILED_PRECONDITION and PERMISSION_DENIED; further codes
 * stand at the method. `call.signal` aborts when nobody waits for the answer any more.
 *
 * Source of the semantics: moby v20.10.24 `volume/drivers/adapter.go`, `docs/extend/plugins_volume.md`; podman v4.3.1
 * `libpod/plugin/volume_api.go`.
 */
import type { CallOptions } from "../protocol/index.ts";

export interface VolumeDriver {
  /** The driver's name, as in `docker volume create --driver NAME`. */
  readonly name: string;

  /** What engines ask once and then remember. */
  capabilities(call?: CallOptions): Promise<VolumeCapabilities>;

  /**
   * Makes a volume, unless one of that name and those options is there.
   * @throws INVALID_ARGUMENT for an option that the driver does not know.
   * @throws ALREADY_EXISTS when the volume is there with other options.
   */
  create(name: string, options?: CreateVolumeOptions, call?: CallOptions): Promise<void>;

  /** Every volume. Engines call it often: it must be cheap. */
  list(call?: CallOptions): Promise<readonly Volume[]>;

  /** @throws NOT_FOUND when there is no such volume. Never answers nothing. */
  get(name: string, call?: CallOptions): Promise<Volume>;

  /** Deletes the volume and what is in it. @throws FAILED_PRECONDITION while somebody holds it. */
  remove(name: string, call?: CallOptions): Promise<void>;

  /** Where the volume's files are, or `undefined` while they are nowhere because it is not mounted. */
  path(name: string, call?: CallOptions): Promise<string | undefined>;

  /** Makes the volume's files visible to a holder and returns their absolute path. The same holder counts once. */
  mount(name: string, id: string, call?: CallOptions): Promise<string>;

  /** The holder needs the files no more. One that does not hold the volume has given it back already. */
  unmount(name: string, id: string, call?: CallOptions): Promise<void>;

  /** This process ends: gives back what it holds of it. Volumes and mounts stay. May be called twice. */
  close(): Promise<void>;
}

export interface VolumeCapabilities {
  readonly scope: "local" | "global";
}

export interface CreateVolumeOptions {
  /** What the user gave with `--opt`, unchecked. */
  readonly options?: Readonly<Record<string, string>>;
}

export interface Volume {
  readonly name: string;
  /** Where its files are; `undefined` while it is not mounted and has no place of its own. */
  readonly mountpoint?: string | undefined;
  readonly createdAt?: Date | undefined;
  /** Whatever `docker volume inspect` is to show under `Status`. */
  readonly status?: Readonly<Record<string, unknown>> | undefined;
}

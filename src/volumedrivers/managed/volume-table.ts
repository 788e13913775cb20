import { isDeepStrictEqual } from "node:util";
import { CleatError } from "../../errors/index.ts";
import type { Store } from "../../state/index.ts";
import { unmountFileSystem } from "../mounting/mount-file-system.ts";
import { type GivenOptions, readOptions, secretsIn, showOptions } from "../options/read-options.ts";
import type { BackendCalls, CallSubject } from "./backend-calls.ts";
import { type BackendOptions, type Backends, readBackends, unknownType } from "./backends.ts";
import type { CreateCall, ManagedVolume, VolumeBackend, VolumeUsage } from "./volume-backend.ts";
import type { VolumeFolders } from "./volume-folders.ts";
import type { VolumeRecord, volumeTables } from "./volume-record.ts";

/** Volumes by their names, as their backends see them. */
export interface VolumeTable {
  /** Those that engines see. */
  names(): string[];
  /** @throws NOT_FOUND */
  assertThere(name: string): void;
  /** @throws NOT_FOUND, FAILED_PRECONDITION when it is being removed. */
  assertReady(name: string): void;
  /** @throws NOT_FOUND, FAILED_PRECONDITION when the driver does not know its type any more. */
  assertKnown(name: string): void;
  recordOf(name: string): VolumeRecord | undefined;
  /** What a new one would be. @throws INVALID_ARGUMENT */
  check(given: GivenOptions): Pick<VolumeRecord, "type" | "options">;
  /** Whether the type that those options ask for has that one, too. @throws INVALID_ARGUMENT for no type. */
  takesOption(option: string, given: GivenOptions): boolean;
  /** @throws ALREADY_EXISTS when it has other options. */
  assertSame(name: string, given: GivenOptions): void;
  managed(name: string): ManagedVolume;
  statusOf(name: string): Record<string, unknown>;
  createdAt(name: string): Date | undefined;
  pathOf(name: string): string | undefined;
  create(name: string, withVolume: CreateCall["withVolume"], signal: AbortSignal): Promise<void>;
  mount(name: string): Promise<string>;
  unmount(name: string): Promise<void>;
  assertRemovable(name: string): Promise<void>;
  remove(name: string): Promise<void>;
  hasUsage(name: string): boolean;
  usage(name: string, timeoutMs: number): Promise<VolumeUsage | undefined>;
  /** Looks after one that an earlier process has mounted. */
  care(name: string): Promise<void>;
  /** @throws UNIMPLEMENTED where its backend cannot. */
  assertResizable(name: string): void;
  /** Resolves to the options that it has from now on. */
  resize(name: string, sizeBytes: number): Promise<VolumeRecord["options"]>;
  /** @throws UNIMPLEMENTED where its backend makes no copies. */
  copyOptions(name: string): VolumeRecord["options"];
}

export function createVolumeTable(
  options: BackendOptions,
  store: Store<typeof volumeTables>,
  folders: VolumeFolders,
  calls: BackendCalls,
): VolumeTable {
  const { volumes } = store.tables;
  const backends = readBackends(options);
  const statusOf = createStatuses(backends);

  const there = (name: string): VolumeRecord => {
    const record = volumes.get(name);
    if (record !== undefined && record.state !== "creating") return record;
    throw new CleatError("NOT_FOUND", `volume "${name}" does not exist`);
  };
  const recordOf = (name: string): VolumeRecord => volumes.get(name) ?? there(name);
  const managed = createManaged(folders, backends);
  const managedOf = (name: string): ManagedVolume => managed(name, recordOf(name));
  const backendOf = (name: string) => backends.of(recordOf(name).type).backend;
  /** What has no answer for a volume whose type is not known any more: others are still listed. */
  const knownBackendOf = (name: string) => backends.find(recordOf(name).type);
  const subjectOf = (name: string, cannot: string, timeoutMs?: number) => {
    const secrets = secretsIn(backendOf(name), recordOf(name).options);
    return { name, cannot, secrets, ...(timeoutMs !== undefined && { timeoutMs }) };
  };

  return {
    names: () => Array.from(volumes.entries()).flatMap(([name, { state }]) => (state === "creating" ? [] : [name])),
    assertThere: (name) => void there(name),
    assertReady(name) {
      if (there(name).state === "ready") return;
      throw new CleatError("FAILED_PRECONDITION", `volume "${name}" is half removed; remove it again`);
    },
    assertKnown: (name) => void backends.of(there(name).type),
    recordOf: (name) => volumes.get(name),
    check(given) {
      const { type, backend, own } = backends.select(given);
      readOptions(backend, own);
      return { ...(type !== undefined && { type }), options: own };
    },
    takesOption: (option, given) => Object.hasOwn(backends.select(given).backend.options, option),
    assertSame(name, given) {
      const { type, backend, own } = backends.select(given);
      const record = there(name);
      const isSame = record.type === type && isDeepStrictEqual(readOptions(backend, own), managedOf(name).options);
      if (!isSame) throw new CleatError("ALREADY_EXISTS", `volume "${name}" exists with other options`);
    },
    managed: managedOf,
    statusOf: (name) => statusOf(recordOf(name)),
    createdAt: (name) => new Date(recordOf(name).created),
    pathOf: (name) => knownBackendOf(name)?.pathOf?.(managedOf(name)),
    async create(name, withVolume, signal) {
      await folders.make(name);
      await calls.run({ ...subjectOf(name, "cannot be created"), signal }, async ({ untimed, ...call }) => {
        const copying: CreateCall["withVolume"] = (...source) => untimed(() => withVolume(...source));
        await backendOf(name).create?.(managedOf(name), { ...call, withVolume: copying });
      });
    },
    mount: (name) =>
      calls.run(subjectOf(name, "cannot be mounted"), async (call) => {
        const volume = managedOf(name);
        await folders.makeTarget(name);
        return (await backendOf(name).mount(volume, call)) ?? volume.target;
      }),
    unmount: (name) =>
      calls.run(subjectOf(name, "cannot be unmounted"), async (call) => {
        const { unmount } = backendOf(name);
        if (unmount === undefined) await unmountFileSystem(folders.targetOf(name), call);
        else await unmount(managedOf(name), call);
        await folders.removeTarget(name);
      }),
    assertRemovable: (name) =>
      calls.run(subjectOf(name, "cannot be removed"), async (call) => {
        await backendOf(name).assertRemovable?.(managedOf(name), call);
      }),
    remove: (name) =>
      calls.run(subjectOf(name, "cannot be removed"), async (call) => {
        await backendOf(name).remove?.(managedOf(name), call);
      }),
    ...createAbilities({ there, managedOf, backendOf, knownBackendOf, subjectOf, calls }),
  };
}

/**
 * Volumes as their backends see them, made once for each record, since engines list them all often;
 * what changes is a new record.
 */
function createManaged(
  folders: VolumeFolders,
  backends: Backends,
): (name: string, record: VolumeRecord) => ManagedVolume {
  const made = new WeakMap<VolumeRecord, ManagedVolume>();
  return (name, record) => {
    const known = made.get(record);
    if (known !== undefined) return known;
    const { type, options: given, created } = record;
    const { backend } = backends.of(type);
    let read: ManagedVolume["options"] | undefined;
    const volume: ManagedVolume = {
      name,
      type,
      get options() {
        return (read ??= Object.freeze(readOptions(backend, given)));
      },
      createdAt: new Date(created),
      folder: folders.folderOf(name),
      target: folders.targetOf(name),
    };
    made.set(record, volume);
    return volume;
  };
}

interface AbilityParts {
  there(name: string): VolumeRecord;
  managedOf(name: string): ManagedVolume;
  backendOf(name: string): VolumeBackend;
  knownBackendOf(name: string): VolumeBackend | undefined;
  subjectOf(name: string, cannot: string, timeoutMs?: number): CallSubject;
  readonly calls: BackendCalls;
}

/** What some backends can, and others cannot. */
function createAbilities({
  there,
  managedOf,
  backendOf,
  knownBackendOf,
  subjectOf,
  calls,
}: AbilityParts): Pick<VolumeTable, "hasUsage" | "usage" | "care" | "assertResizable" | "resize" | "copyOptions"> {
  return {
    hasUsage: (name) => knownBackendOf(name)?.usage !== undefined,
    async usage(name, timeoutMs) {
      there(name);
      const { usage } = backendOf(name);
      if (usage === undefined) throw unable(name, "cannot be measured");
      return calls.run(subjectOf(name, "cannot be measured", timeoutMs), (call) => usage(managedOf(name), call));
    },
    async care(name) {
      const backend = knownBackendOf(name);
      if (backend?.care === undefined) return;
      await backend.care(managedOf(name), calls.careFor(subjectOf(name, "cannot be cared for").secrets));
    },
    assertResizable(name) {
      there(name);
      if (backendOf(name).resize === undefined) throw unable(name, "cannot be given another size");
    },
    async resize(name, sizeBytes) {
      const { resize } = backendOf(name);
      if (resize === undefined) throw unable(name, "cannot be given another size");
      const subject = subjectOf(name, "cannot be given another size");
      return { ...(await calls.run(subject, (call) => resize(managedOf(name), sizeBytes, call))) };
    },
    copyOptions(name) {
      const { type } = there(name);
      const { copyOptions } = backendOf(name);
      if (copyOptions === undefined) throw unable(name, "cannot be copied");
      return { ...(type !== undefined && { type }), ...copyOptions(managedOf(name)) };
    },
  };
}

/** What engines show of records. They list all volumes often; a record is never changed, but replaced. */
function createStatuses(backends: Backends): (record: VolumeRecord) => Record<string, unknown> {
  const shown = new WeakMap<VolumeRecord, Record<string, unknown>>();
  return (record) => {
    const known = shown.get(record);
    if (known !== undefined) return known;
    const { type, options: given, state, resizingTo } = record;
    const backend = backends.find(type);
    const status = {
      ...(type !== undefined && { Type: type }),
      Options: showOptions(backend ?? { options: {} }, given), // of one that is not known all may be secret
      ...(backend === undefined && { Note: unknownType(type) }),
      ...(state === "removing" && { State: "half removed" }),
      ...(resizingTo !== undefined && { State: `being given ${resizingTo} bytes` }),
    };
    shown.set(record, status);
    return status;
  };
}

function unable(name: string, cannot: string): CleatError {
  return new CleatError("UNIMPLEMENTED", `volume "${name}" ${cannot}: its driver has no such ability`);
}

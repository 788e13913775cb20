/** How a graph driver is made known, probed and opened: the other half of the contract (`driver.ts`). */
import type { Logger } from "../transport/index.ts";
import type { ModuleReference } from "../workers/index.ts";
import type { GraphDriver } from "./driver.ts";
import type { ProbeReport } from "./probe-report.ts";
import type { StoreJobs } from "./store-jobs.ts";

/** Ids of `size` processes from `containerId` on are kept on disk as those from `hostId` on. */
export interface IdMapping {
  readonly containerId: number;
  readonly hostId: number;
  readonly size: number;
}

/**
 * How durable a layer is when `applyDiff` or `createReadWrite` resolves: `none` leaves it to the kernel, `layer` costs
 * one `syncfs` per layer, `file` also one `fsync` per file. Whatever the choice, a layer is there whole or not at all
 * while only the process, not the machine, dies.
 */
export type Durability = "none" | "layer" | "file";

/**
 * Who asks a home for its layers: `snapshotter` for a snapshotter over the driver, which keeps records of its own
 * beside them, nothing for whoever calls the driver by its contract. What one keeps the other would sweep as nobody's,
 * or count among its own.
 */
export type HomeDoor = "snapshotter";

export interface OpenOptions {
  /** Absolute path; made (mode 0710) if it is not there. */
  readonly home: string;
  /**
   * Engine's or operator's `driver.key=value` options, as they were typed. A program gives a driver its options by
   * their names instead, beside these (`DriverOption.name`): `overlay2.open({ home, exactDiffs: true })`.
   */
  readonly options?: readonly string[];
  readonly uidMaps?: readonly IdMapping[];
  readonly gidMaps?: readonly IdMapping[];
  /** Default `layer`. */
  readonly durability?: Durability;
  /**
   * Recorded when the home is opened first; the other one is refused from then on. A home that says nothing is
   * Docker's.
   */
  readonly door?: HomeDoor | undefined;
  /**
   * Whether the engine that held layers before this process started is running still, so that its `get`s count on.
   * Default false: every layer found mounted counts as held once.
   */
  readonly resume?: boolean;
  /** Is told of what a call did otherwise than it was asked, and did all the same. Default: nobody is. */
  readonly logger?: Logger | undefined;
}

/** An option of a driver, as a program gives it by its name, or an operator types it after its key. */
export interface DriverOption {
  /** What it is called beside `home`, with the unit of its value: "sizeBytes". None that `OpenOptions` has. */
  readonly name: string;
  /** What stands for the value in help: "SIZE". */
  readonly value: string;
  /** What it does, and its default. */
  readonly help: string;
  /**
   * The value from what was typed, or from a value as text.
   * @throws INVALID_ARGUMENT when the value cannot be meant, or UNIMPLEMENTED when the driver cannot do it; names
   * `key`.
   */
  parse(value: string, key: string): unknown;
}

export type DriverOptionTable = Readonly<Record<string, DriverOption>>;

/** The options of a table by their names; what is left out has its default. */
export type OptionValues<Table extends DriverOptionTable> = {
  readonly [Key in keyof Table as Table[Key]["name"]]?: ReturnType<Table[Key]["parse"]> | undefined;
};

/** Who knows no more of a driver than that it is one gives it no options by their names. */
type NoOptions = Readonly<Record<never, never>>;

/** A kind of graph driver: what a package of drivers exports. `Table` are its own options, which `open` takes. */
export interface GraphDriverFactory<Table extends DriverOptionTable = NoOptions> {
  readonly name: string;
  /**
   * Tells whether a store could be opened in a folder, without making anything there that a `kill -9` could leave: what
   * has to be mounted is mounted where no other process sees it. Reading alone cannot promise that `open` succeeds. A
   * driver that has no probe is tried by opening it.
   * @throws NOT_FOUND, FAILED_PRECONDITION or PERMISSION_DENIED when there is no such folder, or it may not be read.
   */
  probe?(folder: string): Promise<ProbeReport>;
  /**
   * Opens the store under `home`: checks what the driver needs, sweeps what a crash left staged, adopts mounts.
   * @throws UNIMPLEMENTED when kernel or file system lack what the driver needs.
   * @throws FAILED_PRECONDITION when `home` is not a folder, or holds layers that are another driver's or would be
   * misread.
   */
  open(options: OpenOptions & OptionValues<Table>): Promise<GraphDriver>;
  /** What whoever gets it without asking for it should know, in a few words: "copies every layer in full". */
  readonly cost?: string;
  /**
   * Its options, by key in small letters: `readDriverOptions` reads them by such a table, and `cleat serve graph`
   * checks and explains them by it. Of a driver without one nothing is known before it is opened.
   */
  readonly options?: NoOptions extends Table ? DriverOptionTable : Table;
  /** How its stores are looked at and mended without being opened (`layerstore/open-store.ts`). */
  readonly store?: ModuleReference<StoreJobs>;
}

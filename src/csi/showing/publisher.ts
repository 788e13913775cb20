/** Shows a volume's folder at the places that an orchestrator names. */
export interface Publisher {
  /**
   * Makes the folder `target` and shows `source` there, with all flags from the first moment on. Does nothing where it
   * is shown so already.
   *
   * @throws ALREADY_EXISTS when something else, or the same with other flags, is shown there.
   * @throws INVALID_ARGUMENT when `target` cannot be such a place.
   */
  publish(source: string, target: string, flags: PublishFlags, signal: AbortSignal): Promise<void>;

  /**
   * Takes away what is shown at `target`, and the folder. Does nothing where nothing is.
   *
   * @throws FAILED_PRECONDITION when anything but `source` is shown there; where that is not
   *   known, whatever is shown goes.
   */
  unpublish(source: string | undefined, target: string, signal: AbortSignal): Promise<void>;

  /**
   * Where `source` is shown, whatever path leads to `target`: there, and at the places that `publish` made beside it.
   */
  placesOf(source: string, target: string): Promise<PublishedPlaces>;

  /** Whether anything is shown at `target`, whosever it is. */
  isTaken(target: string): Promise<boolean>;

  /** How full the file system at `path` is. @throws NOT_FOUND when nothing is there. */
  statistics(path: string, signal: AbortSignal): Promise<VolumeStatistics>;
}

export interface PublishedPlaces {
  /** At the target. */
  readonly isHere: boolean;
  /** Anywhere but at the target. */
  readonly elsewhere: readonly string[];
}

export interface PublishFlags {
  readonly readonly: boolean;
  readonly nosuid: boolean;
  readonly nodev: boolean;
  readonly noexec: boolean;
  /** What reading does to times of access; the file system's own way where it is undefined. */
  readonly accessTimes: "noatime" | "relatime" | "strictatime" | undefined;
}

export interface VolumeStatistics {
  readonly bytes: Amounts;
  readonly inodes: Amounts;
}

interface Amounts {
  readonly total: bigint;
  readonly used: bigint;
  /** For whoever is not root. */
  readonly available: bigint;
}

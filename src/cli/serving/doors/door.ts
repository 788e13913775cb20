/** A way by which engines reach drivers that this process serves, open already. */
export interface Door {
  /** One line each: what is served where, and what to try next. */
  readonly lines: readonly string[];
  /** The same for programs. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Lets running calls finish. */
  close(): Promise<void>;
}

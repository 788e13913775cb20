/** Folders in which plugins are looked for, best first. */
export interface Locations {
  /** Hold sockets: `NAME.sock`, `NAME/NAME.sock`. */
  readonly sockets: readonly string[];
  /** Hold spec files: `NAME.spec`, `NAME/NAME.spec`, `NAME.json`, `NAME/NAME.json`. */
  readonly specs: readonly string[];
}

/** What a listener left in the file system, and how to take it away again. */
export interface Listening {
  /** "unix:///run/docker/plugins/cleat.sock" */
  readonly address: string;
  /** Removes what was made, unless somebody has replaced it since. */
  remove(): Promise<void>;
}

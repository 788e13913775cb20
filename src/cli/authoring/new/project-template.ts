/** What a kind of plugin begins with. */
export interface ProjectTemplate {
  /** "volume": what `cleat new` calls it. */
  readonly kind: string;
  /** What the plugin lists in its manifest. */
  readonly implements: string;
  /** A sentence for the README and the help. */
  readonly summary: string;
  /** Where the protocol is explained, in Cleat's repository. */
  readonly page: string;
  /** The sources by their paths; `name` is the plugin's. */
  files(name: string): Readonly<Record<string, string>>;
}

/** How a client of an `https` address proves who it is and decides whom to trust. PEM throughout. */
export interface TlsClientOptions {
  /** The only authorities to trust; default those that Node comes with. */
  readonly ca?: string | undefined;
  /** The client's own certificate and key, where the server asks for one. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The name that the server's certificate must have; default the address's host. */
  readonly serverName?: string | undefined;
  /** Trusts whoever answers. Whoever sits in between then commands the plugin. */
  readonly insecureSkipVerify?: boolean | undefined;
}

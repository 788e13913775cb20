/** Who proves what to whom on an `https` address. PEM throughout; nothing below TLS 1.2 is spoken. */
export interface TlsClientOptions {
  /** The only authorities to trust; default those that Node comes with. */
  readonly ca?: string | undefined;
  /** The client's own certificate and key, where the server asks for one. Both or neither. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The name that the server's certificate must have; default the address's host. */
  readonly serverName?: string | undefined;
  /** Trusts whoever answers. Whoever sits in between then commands the plugin. */
  readonly insecureSkipVerify?: boolean | undefined;
}

export interface TlsServerOptions {
  /** The server's certificate, then those between it and its authority. */
  readonly cert: string;
  readonly key: string;
  /** Whose certificates clients must show; without it, whoever can connect is served. */
  readonly clientCa?: string | undefined;
  /** How long a peer may take to say who it is; default 10 s. Nothing of a call has come until then. */
  readonly handshakeTimeoutMs?: number | undefined;
}

/**
 * What plugins answer with. Docker's client asks for `v1.2+json` or `v1.1+json` by version and reads either.
 * Source: moby v20.10.24 `pkg/plugins/transport/transport.go`.
 */
export const pluginMediaType = "application/vnd.docker.plugins.v1.1+json";

/** What layers travel as. Docker's client names no type for them and reads any. */
export const tarMediaType = "application/x-tar";

/** Of a stream of which nobody says what it is. Source: RFC 9110, 8.3. */
export const streamMediaType = "application/octet-stream";

export { assertAddressFree } from "./assert-address-free.ts";
export { closeOnSignals, type CloseOnSignalsOptions } from "./close-on-signals.ts";
export { type RunningPlugin, serve, type ServedDriver, type ServeOptions } from "./serve.ts";
export { createStateFile, type StateFile } from "./state-file.ts";
export type { SpecListen, TcpListen } from "./tcp-listener.ts";
export type { TlsListen, TlsSpec } from "./tls-listener.ts";
export { listenOnUnix, type UnixListen } from "./unix-listener.ts";

export { assertAddressFree } from "./assert-address-free.ts";
export { closeOnSignals, type CloseOnSignalsOptions } from "./close-on-signals.ts";
export { probeListener } from "./probe-listener.ts";
export { type RunningPlugin, serve, type ServedDriver, type ServeOptions } from "./serve.ts";
export { errorLogger, type Logger, silentLogger } from "../transport/index.ts";
export { createStateFile, type StateFile } from "./state-file.ts";
export type { SpecListen, TcpListen } from "./tcp-listener.ts";
export type { TlsListen, TlsSpec } from "./tls-listener.ts";
export { type Listening, listenOnUnix, type UnixListen } from "./unix-listener.ts";

export { activate, assertImplements } from "./activate.ts";
export { activateClient, type ActivateOptions, unlessUnimplemented } from "./activate-client.ts";
export { type Address, formatAddress, type HostAndPort, parseAddress } from "./address.ts";
export { toCallOptions } from "./call-options.ts";
export { answerOf } from "./answer-of.ts";
export { assertMethods } from "./assert-methods.ts";
export { callChannel, traceCall, type TracedCall } from "./call-channel.ts";
export { type ClientOptions, createClient } from "./client.ts";
export { descriptorOf } from "./connection.ts";
export { createDeadline, type Deadline, maxTimerMs } from "./deadline.ts";
export { createHandler, type HandlerOptions } from "./handler.ts";
export { createHttpServer, type HttpServerOptions } from "./http/http-server.ts";
export { createHttpTransport, type HttpTransportOptions } from "./http/http-transport.ts";
export { joinSignals, type JoinedSignal } from "./joined-signal.ts";
export { errorLogger, type Logger, silentLogger } from "./logger.ts";
export {
  findInheritedSocket,
  type InheritedSocket,
  inheritedSockets,
  listenOnInherited,
} from "./listening/inherited-sockets.ts";
export type { Listening } from "./listening/listening.ts";
export { socketPathExcess } from "./listening/socket-path.ts";
export { createMemoryTransport } from "./memory-transport.ts";
export { type Locations, pluginLocations, type UserContext } from "./plugin-locations.ts";
export { implement, type Service } from "./service.ts";
export { formatJsonSpec, parseSpec, type PluginSpec, type TlsFiles } from "./spec-file.ts";
export { createTlsDialer, type TlsDialer } from "./tls/tls-dialer.ts";
export { explainTlsFailure } from "./tls/tls-failure.ts";
export type { TlsClientOptions, TlsServerOptions } from "./tls/tls.ts";
export type { Handler, Transport, WireReply, WireRequest } from "./wire.ts";

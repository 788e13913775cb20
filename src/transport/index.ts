export { activate, assertImplements } from "./client/activate.ts";
export { activateClient, type ActivateOptions, unlessUnimplemented } from "./client/activate-client.ts";
export { type Address, formatAddress, type HostAndPort, parseAddress } from "./locations/address.ts";
export { toCallOptions } from "./handler/call-options.ts";
export { answerOf } from "./handler/answer-of.ts";
export { assertMethods } from "./handler/assert-methods.ts";
export { callChannel, traceCall, type TracedCall } from "./handler/call-channel.ts";
export { type ClientOptions, createClient } from "./client/client.ts";
export { descriptorOf } from "./wire/connection.ts";
export { createDeadline, type Deadline, maxTimerMs } from "./wire/deadline.ts";
export { createHandler, type HandlerOptions } from "./handler/handler.ts";
export { createHttpServer, type HttpServerOptions } from "./http/http-server.ts";
export { createHttpTransport, type HttpTransportOptions } from "./http/http-transport.ts";
export { joinSignals, type JoinedSignal } from "./wire/joined-signal.ts";
export { errorLogger, type Logger, silentLogger } from "./wire/logger.ts";
export {
  findInheritedSocket,
  type InheritedSocket,
  inheritedSockets,
  listenOnInherited,
} from "./listening/inherited-sockets.ts";
export type { Listening } from "./listening/listening.ts";
export { socketPathExcess } from "./listening/socket-path.ts";
export { createMemoryTransport } from "./memory-transport.ts";
export { type Locations, pluginLocations, type UserContext } from "./locations/plugin-locations.ts";
export { implement, type Service } from "./handler/service.ts";
export { formatJsonSpec, parseSpec, type PluginSpec, type TlsFiles } from "./locations/spec-file.ts";
export { createTlsDialer, type TlsDialer } from "./tls/tls-dialer.ts";
export { explainTlsFailure } from "./tls/tls-failure.ts";
export type { TlsClientOptions, TlsServerOptions } from "./tls/tls.ts";
export type { Handler, Transport, WireReply, WireRequest } from "./wire/wire.ts";

/**
 * gRPC over HTTP/2 on unix sockets: services declared once as tables, server and client derived from them.
 *
 * `message.ts` says how messages are described.
 */
export { createGrpcChannel, type GrpcChannel, type GrpcChannelOptions } from "./client/channel.ts";
export { createGrpcClient, type GrpcClientOptions } from "./client/client.ts";
export { type CallKind, defineService, type GrpcMethod, type GrpcService } from "./services/define-service.ts";
export { defaultMaxMessageBytes } from "./wire/frames.ts";
export { GrpcError } from "./wire/grpc-error.ts";
export { inheritedSockets, listenOnInherited, type Listening } from "../transport/index.ts";
export {
  bool,
  bytes,
  embedded,
  enumeration,
  int32,
  int64,
  messageMap,
  repeated,
  repeatedStrings,
  string,
  stringMap,
} from "./services/fields.ts";
export {
  type Decoded,
  type Encodable,
  type Field,
  message,
  type Message,
  type MessageIn,
  type MessageOut,
} from "./services/message.ts";
export { type RunningGrpcServer, serveGrpc, type ServeGrpcOptions } from "./server/serve.ts";
export { createGrpcServer, type GrpcServer, type GrpcServerOptions } from "./server/server.ts";
export {
  type AnyGrpcMethod,
  type GrpcCall,
  type GrpcCallOptions,
  type GrpcClient,
  type GrpcImplementation,
  implementService,
  type ImplementedService,
  type Metadata,
} from "./services/sides.ts";
export { any, empty, fieldMask, fromTimestamp, timestamp, toTimestamp } from "./services/well-known.ts";

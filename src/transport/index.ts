export { type Address, formatAddress, parseAddress } from "./address.ts";
export { type ClientOptions, createClient } from "./client.ts";
export { createHandler, type HandlerOptions } from "./handler.ts";
export { createHttpServer } from "./http-server.ts";
export { createHttpTransport } from "./http-transport.ts";
export { type Logger, silentLogger } from "./logger.ts";
export { createMemoryTransport } from "./memory-transport.ts";
export { implement, type Service } from "./service.ts";
export type { Handler, Transport, WireReply, WireRequest } from "./wire.ts";

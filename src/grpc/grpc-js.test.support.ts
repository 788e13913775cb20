import * as grpc from "@grpc/grpc-js";
import type { GrpcMethod, GrpcService } from "./services/define-service.ts";

/**
 * A table as `@grpc/grpc-js` wants it: the independent peer has our messages, and its own frames, headers and streams.
 */
export function toGrpcJs(service: GrpcService): grpc.ServiceDefinition {
  const define = ({ path, kind, request, response }: GrpcMethod) => ({
    path,
    requestStream: kind === "client-stream" || kind === "bidi",
    responseStream: kind === "server-stream" || kind === "bidi",
    requestSerialize: (value: unknown) => Buffer.from(request.encode(value as never)),
    requestDeserialize: (bytes: Buffer) => request.decode(bytes, "INVALID_ARGUMENT"),
    responseSerialize: (value: unknown) => Buffer.from(response.encode(value as never)),
    responseDeserialize: (bytes: Buffer) => response.decode(bytes, "DATA_LOSS"),
  });
  return Object.fromEntries(Object.entries(service.methods).map(([name, method]) => [name, define(method)]));
}

/** containerd takes and sends 16 MiB; the peer's own default is 4. */
export const sixteenMebibytes = {
  "grpc.max_receive_message_length": 16 * 1024 * 1024,
  "grpc.max_send_message_length": 64 * 1024 * 1024,
};

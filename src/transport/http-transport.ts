import { Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { pipeline, Readable } from "node:stream";
import { isSystemError, TransportError } from "../errors/index.ts";
import { pluginMediaType } from "../protocol/index.ts";
import { type Address, formatAddress } from "./address.ts";
import type { Transport, WireReply, WireRequest } from "./wire.ts";

/** Calls a plugin over HTTP. Connections are kept and reused; idle ones do not keep the process alive. */
export function createHttpTransport(address: Address): Transport {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 8 });
  if ("https" in address) throw new Error("not written yet");
  const target = "unix" in address ? { socketPath: address.unix, host: "plugin.moby.localhost" } : { ...address.tcp };
  const name = formatAddress(address);
  return {
    address: name,
    send: (wire) =>
      send(wire, name, () => httpRequest({ ...target, ...requestLine(wire), agent, signal: wire.signal })),
    async close() {
      agent.destroy();
    },
  };
}

function requestLine({ path, query, body }: WireRequest) {
  const search = new URLSearchParams(query).toString();
  const sized = body instanceof Uint8Array;
  return {
    method: "POST",
    path: search === "" ? path : `${path}?${search}`,
    headers: {
      Accept: pluginMediaType,
      "Content-Type": sized ? pluginMediaType : "application/x-tar",
      ...(sized && { "Content-Length": body.byteLength }),
    },
  };
}

function send(wire: WireRequest, address: string, open: () => ClientRequest): Promise<WireReply> {
  return new Promise((resolve, reject) => {
    let connected = false;
    const request = open();
    request.on("error", (error) => reject(toTransportError(error, address, connected)));
    request.once("socket", (socket) => {
      const begin = () => {
        connected = true;
        sendBody(request, wire.body);
      };
      if (socket.connecting) socket.once("connect", begin);
      else begin();
    });
    request.once("response", (response: IncomingMessage) => {
      // Some peers answer before they have read everything; what they do not want is not sent, and its source is let
      // go.
      response.once("end", () => {
        if (!request.writableFinished) request.destroy();
      });
      resolve({ status: response.statusCode ?? 0, body: response });
    });
  });
}

function sendBody(request: ClientRequest, body: WireRequest["body"]): void {
  if (body instanceof Uint8Array) request.end(body);
  // The pipeline destroys the request when the source fails, so that the peer sees a broken body and never a complete
  // one. That failure reaches the caller as the request's "error".
  else pipeline(Readable.from(body), request, () => {});
}

function toTransportError(error: Error, address: string, connected: boolean): TransportError {
  if (error.name === "AbortError") {
    return new TransportError("CANCELLED", `call to ${address} was given up`, { reachedPeer: connected, cause: error });
  }
  if (connected) {
    const message = `connection to ${address} broke: ${error.message}`;
    return new TransportError("UNAVAILABLE", message, { reachedPeer: true, cause: error });
  }
  const code = isSystemError(error, "EACCES", "EPERM") ? "PERMISSION_DENIED" : "UNAVAILABLE";
  return new TransportError(code, `nobody answers at ${address}: ${error.message}`, {
    reachedPeer: false,
    cause: error,
  });
}

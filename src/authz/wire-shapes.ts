/** The places where the contract's shapes and those of Docker's protocol differ, both ways. */
import type { z } from "zod";
import type { authzProtocol } from "../protocol/index.ts";
import type { RequestFacts, ResponseFacts } from "./authorizer.ts";

export type WireRequest = z.output<(typeof authzProtocol)["methods"]["authZReq"]["request"]>;
export type WireExchange = z.output<(typeof authzProtocol)["methods"]["authZRes"]["request"]>;

export function fromWireRequest(wire: WireRequest): RequestFacts {
  return {
    user: wire.User,
    authenticationMethod: wire.UserAuthNMethod,
    method: wire.RequestMethod,
    uri: wire.RequestUri,
    headers: wire.RequestHeaders,
    body: wire.RequestBody,
    peerCertificates: wire.RequestPeerCertificates,
  };
}

export function toWireRequest(facts: RequestFacts): WireRequest {
  return {
    User: facts.user,
    UserAuthNMethod: facts.authenticationMethod,
    RequestMethod: facts.method,
    RequestUri: facts.uri,
    RequestHeaders: { ...facts.headers },
    RequestBody: facts.body,
    RequestPeerCertificates: [...facts.peerCertificates],
  };
}

export function fromWireResponse(wire: WireExchange): ResponseFacts {
  return { statusCode: wire.ResponseStatusCode, headers: wire.ResponseHeaders, body: wire.ResponseBody };
}

export function toWireResponse(response: ResponseFacts) {
  return {
    ResponseStatusCode: response.statusCode,
    ResponseHeaders: { ...response.headers },
    ResponseBody: response.body,
  };
}

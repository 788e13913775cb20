/** Fields keep the wire's spelling. */
import { X509Certificate } from "node:crypto";
import { z } from "zod";
import { defineProtocol } from "../definition/define-protocol.ts";
import { goBytes, goStruct } from "../definition/go-json.ts";

const middleware = "moby v20.10.24 pkg/authorization/authz.go";
const mebibyte = 1024 * 1024;

/**
 * A certificate as Docker sends it: the base64 of its PEM text. The deadline of a certificate is not looked at: whoever
 * it belongs to has been authenticated by the engine.
 *
 * Source: moby v20.10.24 `pkg/authorization/api.go`, `PeerCertificate`.
 */
const peerCertificate = z.codec(goBytes, z.instanceof(X509Certificate), {
  decode(pem, context) {
    try {
      return new X509Certificate(pem);
    } catch {
      context.issues.push({ code: "custom", input: pem, message: "is no certificate in PEM" });
      return z.NEVER;
    }
  },
  encode: (certificate) => Buffer.from(certificate.toString()),
});

const requestFields = {
  User: z.string().default(""),
  UserAuthNMethod: z.string().default(""),
  RequestMethod: z.string().default(""),
  RequestUri: z.string().default(""),
  RequestBody: goBytes.optional(),
  RequestHeaders: z.record(z.string(), z.string()).default({}),
  RequestPeerCertificates: z.array(peerCertificate).default([]),
};

const decision = goStruct({ Allow: z.boolean().default(false), Msg: z.string().optional() });

export const authzProtocol = defineProtocol({
  name: "AuthZPlugin",
  implements: "authz",
  summary:
    "Docker's authorization plugins (since 1.10; `dockerd --authorization-plugin NAME`): asked about every call of " +
    "the engine's API before it is done, and about its answer before it goes out. Docker sets no deadlines here; " +
    "those of the table are Cleat's own client's. A plugin that fails denies.",
  methods: {
    authZReq: {
      summary:
        "Whether a call may be done. `User` is the common name of the client's certificate, and empty on a unix " +
        "socket. `RequestUri` is as the client wrote it. There is no `RequestBody` where the client sent none, where " +
        "it is not `application/json`, where the path begins with `/auth`, and where it is too long: Docker 20.10 " +
        "leaves out one of 1 MiB and more, and later fixes refuse one of over 4 MiB themselves. Of headers, those " +
        "with credentials are left out.",
      path: "/AuthZPlugin.AuthZReq",
      framing: "json",
      request: goStruct(requestFields),
      response: decision,
      subject: "RequestUri",
      timeoutMs: 30_000,
      // 4 MiB of body in base64, and Go's default of 1 MiB for URI and headers, of which JSON may escape each byte
      // sixfold.
      maxRequestBytes: 16 * mebibyte,
      source: middleware,
    },
    authZRes: {
      summary:
        "Whether an answer may go out: the request as `AuthZReq` had it, and what the engine answers. Docker asks " +
        "when the call has been done. Of an answer that is streamed there is the beginning only, or nothing.",
      path: "/AuthZPlugin.AuthZRes",
      framing: "json",
      request: goStruct({
        ...requestFields,
        ResponseStatusCode: z.int().default(0),
        ResponseBody: goBytes.optional(),
        ResponseHeaders: z.record(z.string(), z.string()).default({}),
      }),
      response: decision,
      subject: "RequestUri",
      timeoutMs: 30_000,
      // Docker puts all of an answer in here that it writes at once, as it does a list of containers, however long.
      maxRequestBytes: 64 * mebibyte,
      source: middleware,
    },
  },
});

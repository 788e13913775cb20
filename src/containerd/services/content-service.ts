/**
 * containerd's content store: blobs by their digests, and writes under way by their references.
 *
 * Source: containerd v1.6.20 `api/services/content/v1/content.proto`,
 * `services/content/contentserver/contentserver.go`; no field number differs in v2.1.9.
 */
import {
  bytes,
  defineService,
  embedded,
  empty,
  enumeration,
  fieldMask,
  int64,
  message,
  repeated,
  repeatedStrings,
  string,
  stringMap,
  timestamp,
} from "../../grpc/index.ts";

const source = "containerd v1.6.20 api/services/content/v1/content.proto";
const secondMs = 1_000;
const name = (short: string) => `containerd.services.content.v1.${short}`;

const infoMessage = message(name("Info"), {
  digest: string(1),
  size: int64(2),
  created_at: embedded(3, timestamp),
  updated_at: embedded(4, timestamp),
  labels: stringMap(5),
});

/** A write that is under way, or was broken off. */
const statusMessage = message(name("Status"), {
  started_at: embedded(1, timestamp),
  updated_at: embedded(2, timestamp),
  ref: string(3),
  offset: int64(4),
  total: int64(5),
  expected: string(6),
});

const writeActions = ["STAT", "WRITE", "COMMIT"] as const;
const info = { info: embedded(1, infoMessage) };
const filters = { filters: repeatedStrings(1) };

export const contentService = defineService({
  name: "containerd.services.content.v1.Content",
  methods: {
    info: {
      kind: "unary",
      subject: "digest",
      source,
      path: "/containerd.services.content.v1.Content/Info",
      request: message(name("InfoRequest"), { digest: string(1) }),
      response: message(name("InfoResponse"), info),
      timeoutMs: 30 * secondMs,
    },
    update: {
      kind: "unary",
      source,
      path: "/containerd.services.content.v1.Content/Update",
      request: message(name("UpdateRequest"), { ...info, update_mask: embedded(2, fieldMask) }),
      response: message(name("UpdateResponse"), info),
      timeoutMs: 30 * secondMs,
    },
    list: {
      kind: "server-stream",
      source,
      path: "/containerd.services.content.v1.Content/List",
      request: message(name("ListContentRequest"), filters),
      response: message(name("ListContentResponse"), { info: repeated(1, infoMessage) }),
      timeoutMs: 60 * secondMs,
    },
    delete: {
      kind: "unary",
      subject: "digest",
      source,
      path: "/containerd.services.content.v1.Content/Delete",
      request: message(name("DeleteContentRequest"), { digest: string(1) }),
      response: empty,
      timeoutMs: 30 * secondMs,
    },
    /** Messages of 32 KiB. */
    read: {
      kind: "server-stream",
      subject: "digest",
      source,
      path: "/containerd.services.content.v1.Content/Read",
      request: message(name("ReadContentRequest"), { digest: string(1), offset: int64(2), size: int64(3) }),
      response: message(name("ReadContentResponse"), { offset: int64(1), data: bytes(2) }),
      timeoutMs: 60 * secondMs,
    },
    status: {
      kind: "unary",
      subject: "ref",
      source,
      path: "/containerd.services.content.v1.Content/Status",
      request: message(name("StatusRequest"), { ref: string(1) }),
      response: message(name("StatusResponse"), { status: embedded(1, statusMessage) }),
      timeoutMs: 30 * secondMs,
    },
    listStatuses: {
      kind: "unary",
      source,
      path: "/containerd.services.content.v1.Content/ListStatuses",
      request: message(name("ListStatusesRequest"), filters),
      response: message(name("ListStatusesResponse"), { statuses: repeated(1, statusMessage) }),
      timeoutMs: 30 * secondMs,
    },
    /**
     * Each request is answered by one response. The first names the reference, which is locked for as long as the call
     * runs. An offset of 0 on what was written before throws that away.
     */
    write: {
      kind: "bidi",
      source,
      path: "/containerd.services.content.v1.Content/Write",
      request: message(name("WriteContentRequest"), {
        action: enumeration(1, writeActions),
        ref: string(2),
        total: int64(3),
        expected: string(4),
        offset: int64(5),
        data: bytes(6),
        labels: stringMap(7),
      }),
      response: message(name("WriteContentResponse"), {
        action: enumeration(1, writeActions),
        started_at: embedded(2, timestamp),
        updated_at: embedded(3, timestamp),
        offset: int64(4),
        total: int64(5),
        digest: string(6),
      }),
      timeoutMs: 120 * secondMs, // a commit syncs the blob
    },
    abort: {
      kind: "unary",
      subject: "ref",
      source,
      path: "/containerd.services.content.v1.Content/Abort",
      request: message(name("AbortRequest"), { ref: string(1) }),
      response: empty,
      timeoutMs: 30 * secondMs,
    },
  },
});

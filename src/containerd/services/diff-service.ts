/**
 * containerd's diffs: archives applied to mounts, and made of what two mounts differ in. containerd serves it, and
 * calls it of a proxy plugin of type "diff".
 *
 * Source: containerd v2.1.9 `api/services/diff/v1/diff.proto`. v1.6.20 lacks `sync_fs` and `source_date_epoch`.
 */
import {
  any,
  bool,
  defineService,
  embedded,
  message,
  messageMap,
  repeated,
  string,
  stringMap,
  timestamp,
} from "../../grpc/index.ts";
import { descriptorMessage, mountMessage } from "./shared-messages.ts";

const source = "containerd v2.1.9 api/services/diff/v1/diff.proto";
const name = (short: string) => `containerd.services.diff.v1.${short}`;
/** For a layer of many gigabytes; containerd itself sets no deadline. */
const timeoutMs = 3_600_000;

export const diffService = defineService({
  name: "containerd.services.diff.v1.Diff",
  methods: {
    apply: {
      kind: "unary",
      source,
      path: "/containerd.services.diff.v1.Diff/Apply",
      request: message(name("ApplyRequest"), {
        diff: embedded(1, descriptorMessage),
        mounts: repeated(2, mountMessage),
        payloads: messageMap(3, any),
        sync_fs: bool(4),
      }),
      response: message(name("ApplyResponse"), { applied: embedded(1, descriptorMessage) }),
      timeoutMs,
    },
    diff: {
      kind: "unary",
      subject: "ref",
      source,
      path: "/containerd.services.diff.v1.Diff/Diff",
      request: message(name("DiffRequest"), {
        left: repeated(1, mountMessage),
        right: repeated(2, mountMessage),
        media_type: string(3),
        ref: string(4),
        labels: stringMap(5),
        source_date_epoch: embedded(6, timestamp),
      }),
      response: message(name("DiffResponse"), { diff: embedded(3, descriptorMessage) }),
      timeoutMs,
    },
  },
});

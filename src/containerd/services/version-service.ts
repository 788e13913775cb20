/** Which containerd this is. Source: containerd v1.6.20 `api/services/version/v1/version.proto`; the same in v2.1.9. */
import { defineService, empty, message, string } from "../../grpc/index.ts";

export const versionService = defineService({
  name: "containerd.services.version.v1.Version",
  methods: {
    version: {
      kind: "unary",
      source: "containerd v1.6.20 api/services/version/v1/version.proto",
      path: "/containerd.services.version.v1.Version/Version",
      request: empty,
      /** `version` as its builder spells it: "1.6.20~ds1", "v2.1.4", "2.1.9". */
      response: message("containerd.services.version.v1.VersionResponse", { version: string(1), revision: string(2) }),
      timeoutMs: 30_000,
    },
  },
});

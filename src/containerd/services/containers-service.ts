/**
 * containerd's containers, read only: which snapshot each has for its root.
 *
 * Source: containerd v1.6.20 `api/services/containers/v1/containers.proto`; v2.1.9 has one field more, which is not
 * used.
 */
import {
  any,
  defineService,
  embedded,
  message,
  repeated,
  repeatedStrings,
  string,
  stringMap,
  timestamp,
} from "../../grpc/index.ts";

const name = (short: string) => `containerd.services.containers.v1.${short}`;

const containerMessage = message(name("Container"), {
  id: string(1),
  labels: stringMap(2),
  image: string(3),
  runtime: embedded(4, message(name("Container.Runtime"), { name: string(1), options: embedded(2, any) })),
  snapshotter: string(6),
  snapshot_key: string(7),
  created_at: embedded(8, timestamp),
  updated_at: embedded(9, timestamp),
});

export const containersService = defineService({
  name: "containerd.services.containers.v1.Containers",
  methods: {
    list: {
      kind: "unary",
      source: "containerd v1.6.20 api/services/containers/v1/containers.proto",
      path: "/containerd.services.containers.v1.Containers/List",
      request: message(name("ListContainersRequest"), { filters: repeatedStrings(1) }),
      response: message(name("ListContainersResponse"), { containers: repeated(1, containerMessage) }),
      timeoutMs: 30_000,
    },
  },
});

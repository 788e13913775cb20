/**
 * What containerd consists of: its plugins, with what they export, and why one did not start.
 *
 * Source: containerd v1.6.20 `api/services/introspection/v1/introspection.proto`, `google/rpc/status.proto`; v2.1.9 has
 * further fields, which are not used.
 */
import {
  defineService,
  embedded,
  empty,
  int32,
  message,
  repeated,
  repeatedStrings,
  string,
  stringMap,
} from "../../grpc/index.ts";
import { platformMessage } from "./shared-messages.ts";

const source = "containerd v1.6.20 api/services/introspection/v1/introspection.proto";
const name = (short: string) => `containerd.services.introspection.v1.${short}`;
const call = { kind: "unary", source, timeoutMs: 30_000 } as const;

const statusMessage = message("google.rpc.Status", { code: int32(1), message: string(2) });

const pluginMessage = message(name("Plugin"), {
  type: string(1),
  id: string(2),
  requires: repeatedStrings(3),
  platforms: repeated(4, platformMessage),
  exports: stringMap(5),
  capabilities: repeatedStrings(6),
  /** Missing where it started. */
  init_err: embedded(7, statusMessage),
});

export const introspectionService = defineService({
  name: "containerd.services.introspection.v1.Introspection",
  methods: {
    /** Filters know the fields `type`, `id`, `platforms` and `capabilities`. */
    plugins: {
      ...call,
      path: "/containerd.services.introspection.v1.Introspection/Plugins",
      request: message(name("PluginsRequest"), { filters: repeatedStrings(1) }),
      response: message(name("PluginsResponse"), { plugins: repeated(1, pluginMessage) }),
    },
    server: {
      ...call,
      path: "/containerd.services.introspection.v1.Introspection/Server",
      request: empty,
      response: message(name("ServerResponse"), { uuid: string(1) }),
    },
  },
});

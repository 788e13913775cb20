/**
 * containerd's namespaces: each has images, containers, blobs and snapshots of its own.
 *
 * Source: containerd v1.6.20 `api/services/namespaces/v1/namespace.proto`; no field number differs in v2.1.9.
 */
import { defineService, embedded, empty, message, repeated, string, stringMap } from "../../grpc/index.ts";

const source = "containerd v1.6.20 api/services/namespaces/v1/namespace.proto";
const name = (short: string) => `containerd.services.namespaces.v1.${short}`;
const call = { kind: "unary", source, timeoutMs: 30_000 } as const;

const namespaceMessage = message(name("Namespace"), { name: string(1), labels: stringMap(2) });
const namespace = { namespace: embedded(1, namespaceMessage) };

export const namespacesService = defineService({
  name: "containerd.services.namespaces.v1.Namespaces",
  methods: {
    get: {
      ...call,
      subject: "name",
      path: "/containerd.services.namespaces.v1.Namespaces/Get",
      request: message(name("GetNamespaceRequest"), { name: string(1) }),
      response: message(name("GetNamespaceResponse"), namespace),
    },
    list: {
      ...call,
      path: "/containerd.services.namespaces.v1.Namespaces/List",
      request: message(name("ListNamespacesRequest"), { filter: string(1) }),
      response: message(name("ListNamespacesResponse"), { namespaces: repeated(1, namespaceMessage) }),
    },
    create: {
      ...call,
      path: "/containerd.services.namespaces.v1.Namespaces/Create",
      request: message(name("CreateNamespaceRequest"), namespace),
      response: message(name("CreateNamespaceResponse"), namespace),
    },
    delete: {
      ...call,
      subject: "name",
      path: "/containerd.services.namespaces.v1.Namespaces/Delete",
      request: message(name("DeleteNamespaceRequest"), { name: string(1) }),
      response: empty,
    },
  },
});

/**
 * containerd's leases: what keeps the garbage collector from things that nothing refers to yet.
 *
 * Source: containerd v1.6.20 `api/services/leases/v1/leases.proto`; no field number differs in v2.1.9.
 */
import {
  bool,
  defineService,
  embedded,
  empty,
  message,
  repeated,
  repeatedStrings,
  string,
  stringMap,
  timestamp,
} from "../../grpc/index.ts";

const source = "containerd v1.6.20 api/services/leases/v1/leases.proto";
const name = (short: string) => `containerd.services.leases.v1.${short}`;
const call = { kind: "unary", source, timeoutMs: 30_000 } as const;

const leaseMessage = message(name("Lease"), {
  id: string(1),
  created_at: embedded(2, timestamp),
  labels: stringMap(3),
});

/** `type` is "content", "ingests", or "snapshots/" with the snapshotter's name. */
const resourceMessage = message(name("Resource"), { id: string(1), type: string(2) });
const resource = { id: string(1), resource: embedded(2, resourceMessage) };

export const leasesService = defineService({
  name: "containerd.services.leases.v1.Leases",
  methods: {
    create: {
      ...call,
      subject: "id",
      path: "/containerd.services.leases.v1.Leases/Create",
      request: message(name("CreateRequest"), { id: string(1), labels: stringMap(3) }),
      response: message(name("CreateResponse"), { lease: embedded(1, leaseMessage) }),
    },
    /** With `sync` answers after a collection of garbage, which may take long. */
    delete: {
      ...call,
      subject: "id",
      path: "/containerd.services.leases.v1.Leases/Delete",
      request: message(name("DeleteRequest"), { id: string(1), sync: bool(2) }),
      response: empty,
      timeoutMs: 600_000,
    },
    list: {
      ...call,
      path: "/containerd.services.leases.v1.Leases/List",
      request: message(name("ListRequest"), { filters: repeatedStrings(1) }),
      response: message(name("ListResponse"), { leases: repeated(1, leaseMessage) }),
    },
    addResource: {
      ...call,
      subject: "id",
      path: "/containerd.services.leases.v1.Leases/AddResource",
      request: message(name("AddResourceRequest"), resource),
      response: empty,
    },
    deleteResource: {
      ...call,
      subject: "id",
      path: "/containerd.services.leases.v1.Leases/DeleteResource",
      request: message(name("DeleteResourceRequest"), resource),
      response: empty,
    },
    listResources: {
      ...call,
      subject: "id",
      path: "/containerd.services.leases.v1.Leases/ListResources",
      request: message(name("ListResourcesRequest"), { id: string(1) }),
      response: message(name("ListResourcesResponse"), { resources: repeated(1, resourceMessage) }),
    },
  },
});

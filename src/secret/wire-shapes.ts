/** The places where the contract's shapes and those of Docker's protocol differ, both ways. */
import type { z } from "zod";
import { CleatError } from "../errors/index.ts";
import type { secretProviderProtocol } from "../protocol/index.ts";
import type { SecretRequest, ServiceEndpoint, ServicePort } from "./driver.ts";

type WireRequest = z.output<(typeof secretProviderProtocol)["methods"]["getSecret"]["request"]>;
type WireEndpoint = NonNullable<WireRequest["ServiceEndpointSpec"]>;
type WirePort = WireEndpoint["Ports"][number];

/** Numbers of the wire by their places. Source: moby v20.10.24 `vendor/github.com/docker/swarmkit/api/types.proto`. */
const modes = ["vip", "dnsrr"] as const;
const protocolNames = ["tcp", "udp", "sctp"] as const;
const publishModes = ["ingress", "host"] as const;

export function fromWireRequest(wire: WireRequest): SecretRequest {
  const { ServiceEndpointSpec: endpoint, TaskID: taskId } = wire;
  return {
    labels: wire.SecretLabels,
    service: {
      id: wire.ServiceID || undefined,
      name: wire.ServiceName,
      hostname: wire.ServiceHostname || undefined,
      labels: wire.ServiceLabels,
      endpoint: endpoint && fromWireEndpoint(endpoint),
    },
    task: taskId === "" ? undefined : { id: taskId, name: wire.TaskName, image: wire.TaskImage },
    nodeId: wire.NodeID || undefined,
  };
}

export function toWireRequest(secretName: string, { labels, service, task, nodeId = "" }: SecretRequest): WireRequest {
  return {
    SecretName: secretName,
    SecretLabels: { ...labels },
    ServiceID: service.id ?? "",
    ServiceName: service.name,
    ServiceHostname: service.hostname ?? "",
    ServiceLabels: { ...service.labels },
    TaskID: task?.id ?? "",
    TaskName: task?.name ?? "",
    TaskImage: task?.image ?? "",
    NodeID: nodeId,
    ServiceEndpointSpec: service.endpoint && toWireEndpoint(service.endpoint),
  };
}

function fromWireEndpoint({ Mode, Ports }: WireEndpoint): ServiceEndpoint {
  return { mode: nameOf(modes, Mode, "Mode"), ports: Ports.map(fromWirePort) };
}

function toWireEndpoint({ mode, ports }: ServiceEndpoint): WireEndpoint {
  return { Mode: modes.indexOf(mode), Ports: ports.map(toWirePort) };
}

function fromWirePort({ Name, Protocol, TargetPort, PublishedPort, PublishMode }: WirePort): ServicePort {
  return {
    name: Name || undefined,
    protocol: nameOf(protocolNames, Protocol, "Protocol"),
    targetPort: TargetPort,
    publishedPort: PublishedPort,
    publishMode: nameOf(publishModes, PublishMode, "PublishMode"),
  };
}

function toWirePort({ name = "", protocol, targetPort, publishedPort, publishMode }: ServicePort): WirePort {
  return {
    Name: name,
    Protocol: protocolNames.indexOf(protocol),
    TargetPort: targetPort,
    PublishedPort: publishedPort,
    PublishMode: publishModes.indexOf(publishMode),
  };
}

function nameOf<Name extends string>(names: readonly Name[], at: number, field: string): Name {
  const name = names[at];
  if (name !== undefined) return name;
  throw new CleatError("INVALID_ARGUMENT", `${field} ${at} is not known; known are 0 to ${names.length - 1}`);
}

/** Fields keep the wire's spelling. Docker leaves out what is empty (`omitempty`). */
import { z } from "zod";
import { defineProtocol } from "../definition/define-protocol.ts";
import { goBytes, goStruct } from "../definition/go-json.ts";

const labels = z.record(z.string(), z.string()).default({});

const portConfig = goStruct({
  Name: z.string().default(""),
  Protocol: z.int().default(0),
  TargetPort: z.int().default(0),
  PublishedPort: z.int().default(0),
  PublishMode: z.int().default(0),
});

export const secretProviderProtocol = defineProtocol({
  name: "SecretProvider",
  implements: "secretprovider",
  summary:
    "Plugins with the values of a swarm's secrets (since 17.12): what `docker secret create --driver NAME` asks. Its " +
    "paths say `SecretProvider`, and plugins list it in lower case.",
  methods: {
    getSecret: {
      summary:
        "The value of a secret, asked by a swarm's manager for a task that is to have it. With `DoNotReuse` it is " +
        "for that task alone, and asked for again for the next one. `Mode` is 0 for a virtual address, 1 for DNS; " +
        "`Protocol` 0 for TCP, 1 for UDP, 2 for SCTP; `PublishMode` 0 for ingress, 1 for the host.",
      path: "/SecretProvider.GetSecret",
      framing: "json",
      safe: true,
      request: goStruct({
        SecretName: z.string(),
        SecretLabels: labels,
        ServiceID: z.string().default(""),
        ServiceName: z.string().default(""),
        ServiceHostname: z.string().default(""),
        ServiceLabels: labels,
        TaskID: z.string().default(""),
        TaskName: z.string().default(""),
        TaskImage: z.string().default(""),
        NodeID: z.string().default(""),
        ServiceEndpointSpec: goStruct({
          Mode: z.int().default(0),
          Ports: z.array(portConfig).default([]),
        }).optional(),
      }),
      response: goStruct({ Value: goBytes.optional(), DoNotReuse: z.boolean().default(false) }),
      subject: "SecretName",
      timeoutMs: 60_000,
      source: "moby v20.10.24 vendor/github.com/docker/swarmkit/manager/drivers/secrets.go",
    },
  },
});

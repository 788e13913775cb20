import { expect, it } from "vitest";
import { CleatError } from "../errors/index.ts";
import { pluginProtocol, secretProviderProtocol } from "../protocol/index.ts";
import { createClient, createHandler, createMemoryTransport, implement, silentLogger } from "../transport/index.ts";
import {
  createSecretProviderFromPlugin,
  createSecretProviderPlugin,
  type SecretProvider,
  type SecretRequest,
} from "./index.ts";

const asked: unknown[] = [];
const value = Buffer.from([0, 255, 10]);
const plugin = createSecretProviderPlugin({
  provider: {
    name: "memory",
    async getSecret(name, request) {
      asked.push(request);
      if (name !== "known") throw new CleatError("PERMISSION_DENIED", `secret "${name}" is not for you`);
      return { value, doNotReuse: true };
    },
    close: async () => void asked.push("close"),
  },
});
const activation = implement(pluginProtocol, { activate: async () => ({ Implements: ["secretprovider"] }) });
const transport = createMemoryTransport(createHandler([activation, plugin.service]));

it("is a provider behind the protocol: bytes stay bytes, and who asks is known", async () => {
  const remote = await createSecretProviderFromPlugin(transport, { name: "p" });
  const ports = [
    { name: "dns", protocol: "udp", targetPort: 53, publishedPort: 5353, publishMode: "host" },
    { protocol: "tcp", targetPort: 80, publishedPort: 0, publishMode: "ingress" },
  ] as const;
  const endpoint = { mode: "dnsrr", ports } as const;
  const service = { id: "s", name: "web", hostname: "w", labels: { a: "b" }, endpoint };
  const request: SecretRequest = {
    labels: { tier: "back" },
    service,
    task: { id: "t", name: "web.1", image: "i" },
    nodeId: "n",
  };
  expect(await remote.getSecret("known", request)).toEqual({ value, doNotReuse: true });
  await expect(remote.getSecret("other", { service: { name: "x" } })).rejects.toMatchObject({
    code: "PERMISSION_DENIED",
  });
  await remote.close();
  expect(asked).toEqual([request, { labels: {}, service: { name: "x", labels: {} } }]);
  await plugin.close();
  expect(asked.at(-1)).toBe("close");
});

it("refuses numbers that mean nothing, with one sentence", async () => {
  const client = createClient(secretProviderProtocol, transport);
  const wrong = { ...emptyRequest, ServiceEndpointSpec: { Mode: 9, Ports: [] } };
  await expect(client.getSecret(wrong)).rejects.toThrow("Mode 9 is not known; known are 0 to 1");
});

it.each<[what: string, answer: unknown, sentence: string]>([
  ["nothing", undefined, "getSecret answered undefined, and no object"],
  ["its value alone", "hidden", "getSecret answered a string, and no object"],
  ["no value", {}, 'the value of secret "known" is undefined, and no bytes'],
  ["a text", { value: "hidden" }, 'the value of secret "known" is a string, and no bytes'],
  ["a number", { value: 4711 }, 'the value of secret "known" is a number, and no bytes'],
  ["no bytes", { value: new Uint8Array() }, 'the value of secret "known" is empty, which a swarm refuses'],
  [
    "500 KiB",
    { value: Buffer.alloc(512_000) },
    'the value of secret "known" has 512000 bytes, and a swarm takes less than 512000',
  ],
])("tells a provider that answers %s what is wrong, and never the value", async (_, answer, sentence) => {
  const getSecret = async () => answer as Awaited<ReturnType<SecretProvider["getSecret"]>>;
  const { service } = createSecretProviderPlugin({ provider: { name: "p", getSecret, close: async () => {} } });
  const client = createClient(
    secretProviderProtocol,
    createMemoryTransport(createHandler([activation, service], { logger: silentLogger })),
  );
  const refusal = await client.getSecret(emptyRequest).catch((error: Error) => error.message);
  expect(refusal).toContain(`secret provider "p": ${sentence}`);
  expect(refusal).not.toMatch(/hidden|4711/);
});

it("lets the largest secret through that a swarm takes", async () => {
  const getSecret = async () => ({ value: Buffer.alloc(511_999) });
  const { service } = createSecretProviderPlugin({ provider: { name: "p", getSecret, close: async () => {} } });
  const client = createClient(
    secretProviderProtocol,
    createMemoryTransport(createHandler([activation, service], { logger: silentLogger })),
  );
  expect((await client.getSecret(emptyRequest)).Value).toHaveLength(511_999);
});

const emptyRequest = {
  SecretName: "known",
  SecretLabels: {},
  ServiceID: "",
  ServiceName: "",
  ServiceHostname: "",
  ServiceLabels: {},
  TaskID: "",
  TaskName: "",
  TaskImage: "",
  NodeID: "",
};

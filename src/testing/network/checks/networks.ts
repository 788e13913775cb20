import { ok } from "node:assert/strict";
import { networkDriverProtocol } from "../../../protocol/index.ts";
import { assertSuccess } from "../../wire/answers.ts";
import type { NetworkCheck } from "../context.ts";

const remote = "moby v20.10.24 vendor/github.com/docker/libnetwork/drivers/remote/driver.go";
const onlyLogged = "moby v20.10.24 vendor/github.com/docker/libnetwork/network.go delete: a failure is only logged";
const makes = "networks";

export const networkChecks: readonly NetworkCheck[] = [
  {
    id: "capabilities/scope",
    title: "tells a scope, local or global, and the same or nothing of how far containers reach",
    source: `${remote} getCapabilities`,
    symptom: 'docker network create fails: "could not resolve driver … in remote driver registry".',
    async run({ driver, wire }) {
      const { path, response } = networkDriverProtocol.methods.getCapabilities;
      const answer = await wire?.post(path, "");
      const { Scope, ConnectivityScope } =
        answer === undefined ? { Scope: "", ConnectivityScope: "" } : assertSuccess(path, answer, response);
      const told =
        answer === undefined ? await driver.capabilities() : { scope: Scope, connectivityScope: ConnectivityScope };
      ok(["local", "global"].includes(told.scope), `scope is ${JSON.stringify(told.scope)}`);
      const reach = told.connectivityScope ?? "";
      ok(["local", "global", ""].includes(reach), `connectivity scope is ${JSON.stringify(reach)}`);
    },
  },
  {
    id: "network/created-again",
    title: "takes a network for made that was made",
    source: "the contract (src/network/driver.ts); no Docker of today sends it twice",
    symptom: "None with the engines of today.",
    advice: true,
    makes,
    async run({ driver, createNetwork, poolAt, options }) {
      const network = await createNetwork();
      await driver.createNetwork(network, { options, ipv4: [{ addressSpace: "local", ...poolAt(0) }] });
    },
  },
  {
    id: "network/deleted-again",
    title: "takes a network that was deleted, or never was, for deleted",
    source: onlyLogged,
    symptom: "Docker's log has a warning, and nobody sees it.",
    advice: true,
    makes,
    async run({ driver, createNetwork, deleteNetwork, newId }) {
      const network = await createNetwork();
      await deleteNetwork(network);
      await driver.deleteNetwork(network);
      await driver.deleteNetwork(newId());
    },
  },
  {
    id: "network/unknown",
    title: "refuses an endpoint in a network that is not there",
    source: `${remote} CreateEndpoint`,
    symptom: "After a crash of the plugin docker run starts containers that reach nobody, in place of a failure.",
    makes: "an endpoint, where it is not refused",
    async run({ createEndpoint, newId, refused }) {
      const network = newId();
      await refused(createEndpoint(network), "NOT_FOUND", network);
    },
  },
  {
    id: "network/deleted",
    title: "refuses an endpoint in a network that was deleted, and makes the network's pool again",
    source: `${remote} DeleteNetwork, CreateEndpoint`,
    symptom: "After docker network rm the same network cannot be made again, or its links stay for good.",
    makes,
    async run({ createNetwork, deleteNetwork, createEndpoint, refused }) {
      for (let time = 0; time < 2; time++) {
        const network = await createNetwork();
        await deleteNetwork(network);
        await refused(createEndpoint(network), "NOT_FOUND", network);
      }
    },
  },
  {
    id: "network/deleted-with-endpoints",
    title: "deletes with a network the endpoints that Docker has forgotten",
    source:
      "seen on docker-20.10.24, 26.1.5, 28.5.2 (test/engine/plugins/networks.test.ts): " +
      "what ended while the daemon was away " +
      "is never deleted; moby v20.10.24 vendor/github.com/docker/libnetwork/endpoint.go deleteEndpoint",
    symptom: "After a crash of the daemon docker network rm leaves links, and the network cannot be made again.",
    makes,
    async run({ createNetwork, createEndpoint, join, deleteNetwork, hasLink }) {
      const network = await createNetwork();
      const { interface: link } = await join(network, await createEndpoint(network));
      await deleteNetwork(network);
      const isLeft = link !== undefined && (await hasLink?.(link.source)) === true;
      ok(!isLeft, `link "${link?.source}" of an endpoint is left`);
      await createEndpoint(await createNetwork());
    },
  },
  {
    id: "network/several",
    title: "keeps several networks apart: one is deleted, the others go on",
    source: `${remote} DeleteNetwork`,
    symptom: "docker network rm takes the network from containers of another one.",
    makes,
    async run({ createNetwork, deleteNetwork, createEndpoint, join, leave, deleteEndpoint, hasLink }) {
      const [one, other] = [await createNetwork(0), await createNetwork(1)];
      const endpoint = await createEndpoint(one);
      const { interface: link } = await join(one, endpoint);
      await deleteNetwork(other);
      const isThere = link === undefined || hasLink === undefined || (await hasLink(link.source));
      ok(isThere, `link "${link?.source}" went with another network`);
      await leave(one, endpoint);
      await deleteEndpoint(one, endpoint);
      await createEndpoint(one, 1);
    },
  },
];

import { equal, match, ok } from "node:assert/strict";
import { isIPv4, isIPv6 } from "node:net";
import type { JoinedEndpoint } from "../../../network/index.ts";
import type { NetworkCheck, NetworkContext } from "../context.ts";

const remote = "moby v20.10.24 vendor/github.com/docker/libnetwork/drivers/remote/driver.go";
const onlyLogged = "moby v20.10.24 vendor/github.com/docker/libnetwork/endpoint.go: a failure is only logged";
const makes = "networks";
/** As Go's net.ParseMAC reads one of Ethernet. */
const mac = /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i;
/** Source: linux/if.h IFNAMSIZ, of which the last byte is NUL. */
const maxLinkName = 15;

const needsLinks = ({ hasLink }: NetworkContext) =>
  hasLink === undefined ? "the driver's links cannot be seen from here" : undefined;

export const endpointChecks: readonly NetworkCheck[] = [
  {
    id: "endpoint/decided",
    title: "answers nothing for what the engine has decided: no address, and no MAC address where one is given",
    source: `${remote} CreateEndpoint; moby v28.5.2 libnetwork/docs/remote.md`,
    symptom: 'docker run fails: "driver modified interface MAC address", or "… address".',
    makes,
    async run({ driver, createNetwork, newId, keepEndpoint, poolAt }) {
      const network = await createNetwork();
      const given = { address: poolAt(0).gateway.replace(".1/", ".9/"), macAddress: "02:42:c6:12:00:09" };
      const endpoint = newId();
      keepEndpoint(network, endpoint);
      const { address = "", addressIPv6 = "", macAddress = "" } = await driver.createEndpoint(network, endpoint, given);
      equal(address + addressIPv6 + macAddress, "");
    },
  },
  {
    id: "endpoint/mac",
    title: "answers a MAC address that Go reads, or none, where none is given; and each endpoint another",
    source: `${remote} parseInterface`,
    symptom: "docker run fails, or two containers have one MAC address and lose each other's packets.",
    makes,
    async run({ driver, createNetwork, newId, keepEndpoint, poolAt }) {
      const network = await createNetwork();
      const answered: string[] = [];
      for (const last of [9, 10]) {
        const endpoint = newId();
        keepEndpoint(network, endpoint);
        const address = poolAt(0).gateway.replace(".1/", `.${last}/`);
        const { macAddress = "" } = await driver.createEndpoint(network, endpoint, { address });
        if (macAddress === "") return;
        match(macAddress, mac);
        answered.push(macAddress);
      }
      equal(new Set(answered).size, answered.length, `two endpoints have ${answered[0]}`);
    },
  },
  {
    id: "endpoint/info",
    title: "answers whatever there is to tell of an endpoint, before it joins and after",
    source: `${remote} EndpointOperInfo; recorded (test/golden): docker inspect, docker network inspect`,
    symptom: "docker inspect and docker ps of every container on the network fail or lack its address.",
    makes,
    async run({ driver, createNetwork, createEndpoint, join }) {
      const network = await createNetwork();
      const endpoint = await createEndpoint(network);
      equal(typeof (await driver.endpointInfo(network, endpoint)), "object");
      await join(network, endpoint);
      equal(typeof (await driver.endpointInfo(network, endpoint)), "object");
    },
  },
  {
    id: "endpoint/again",
    title: "makes an endpoint again with the address and MAC address of one that was deleted",
    source: "recorded (test/golden): docker restart deletes a container's endpoint and makes another",
    symptom: "docker restart fails, or the container reaches nobody afterwards.",
    makes,
    async run({ createNetwork, createEndpoint, join, leave, deleteEndpoint }) {
      const network = await createNetwork();
      for (let time = 0; time < 3; time++) {
        const endpoint = await createEndpoint(network, 0, { macAddress: "02:42:c6:12:00:02" });
        await join(network, endpoint);
        await leave(network, endpoint);
        await deleteEndpoint(network, endpoint);
      }
    },
  },
  {
    id: "endpoint/never-joined",
    title: "deletes an endpoint that nobody joined",
    source: "moby v20.10.24 daemon/container_operations.go connectToNetwork, which deletes it where anything fails",
    symptom: "After a docker run that failed links are left, and addresses are taken.",
    makes,
    async run({ createNetwork, createEndpoint, deleteEndpoint, deleteNetwork }) {
      const network = await createNetwork();
      await deleteEndpoint(network, await createEndpoint(network));
      await createEndpoint(network);
      await deleteNetwork(network);
    },
  },
  {
    id: "endpoint/deleted-again",
    title: "takes an endpoint that was deleted, or never was, for deleted",
    source: onlyLogged,
    symptom: "Docker's log has a warning, and nobody sees it.",
    advice: true,
    makes,
    async run({ driver, createNetwork, createEndpoint, deleteEndpoint, newId }) {
      const network = await createNetwork();
      const endpoint = await createEndpoint(network);
      await deleteEndpoint(network, endpoint);
      await driver.deleteEndpoint(network, endpoint);
      await driver.deleteEndpoint(network, newId());
    },
  },
  {
    id: "endpoint/together",
    title: "makes and joins 8 endpoints at once, each with a link of its own",
    source: "docker compose up, which starts containers side by side",
    symptom: "Of containers that are started together some have no network, and each starts alone.",
    makes,
    async run({ createNetwork, createEndpoint, join }) {
      const network = await createNetwork();
      const joined = await Promise.all(
        Array.from({ length: 8 }, async (_, at) => join(network, await createEndpoint(network, at))),
      );
      const links = joined.flatMap(({ interface: link }) => link?.source ?? []);
      equal(new Set(links).size, links.length, `one link for two: ${links.join(", ")}`);
    },
  },
  {
    id: "endpoint/link-gone",
    title: "leaves no link of an endpoint that was deleted",
    source: `${remote} DeleteEndpoint`,
    symptom: "Links of containers that are gone fill the host, until the driver cannot make any.",
    makes,
    needs: needsLinks,
    async run({ createNetwork, createEndpoint, join, leave, deleteEndpoint, hasLink }) {
      const network = await createNetwork();
      const endpoint = await createEndpoint(network);
      const { interface: link } = await join(network, endpoint);
      await leave(network, endpoint);
      await deleteEndpoint(network, endpoint);
      ok(link === undefined || !(await hasLink?.(link.source)), `link "${link?.source}" is left`);
    },
  },
  {
    id: "join/unknown",
    title: "refuses a container that joins an endpoint of a network that is not there",
    source: `${remote} Join`,
    symptom: "A container starts without the network that it was to have.",
    async run({ driver, newId, refused }) {
      const [network, endpoint] = [newId(), newId()];
      await refused(driver.join(network, endpoint, { sandboxKey: "/var/run/docker/netns/0" }), "NOT_FOUND", network);
    },
  },
  {
    id: "join/readable",
    title: "answers a join with what Docker reads: a link's name and its prefix, addresses, routes in CIDR notation",
    source: `${remote} Join, parseStaticRoutes; linux/if.h IFNAMSIZ`,
    symptom: 'docker run fails: "unable to parse Gateway", or with an error about the link.',
    makes,
    async run({ createNetwork, createEndpoint, join }) {
      const network = await createNetwork();
      assertReadable(await join(network, await createEndpoint(network)));
    },
  },
  {
    id: "join/link",
    title: "has the link that it names when a container joins",
    source: "moby v20.10.24 vendor/github.com/docker/libnetwork/osl/interface_linux.go AddInterface",
    symptom: 'docker run fails: "failed to get link by name".',
    makes,
    needs: needsLinks,
    async run({ createNetwork, createEndpoint, join, hasLink }) {
      const network = await createNetwork();
      const { interface: link } = await join(network, await createEndpoint(network));
      ok(link === undefined || (await hasLink?.(link.source)), `there is no link "${link?.source}"`);
    },
  },
  {
    id: "leave/again",
    title: "takes an endpoint that nobody has joined, or that was left, for left",
    source: onlyLogged,
    symptom: "Docker's log has a warning, and nobody sees it.",
    advice: true,
    makes,
    async run({ createNetwork, createEndpoint, join, leave }) {
      const network = await createNetwork();
      const endpoint = await createEndpoint(network);
      await leave(network, endpoint);
      await join(network, endpoint);
      await leave(network, endpoint);
      await leave(network, endpoint);
    },
  },
];

function assertReadable({ interface: link, gateway, gatewayIPv6, routes = [] }: JoinedEndpoint): void {
  if (link !== undefined) {
    ok(link.source !== "" && Buffer.byteLength(link.source) <= maxLinkName, `no name of a link: "${link.source}"`);
    match(link.prefix, /^[A-Za-z][\w.-]{0,11}$/, `no prefix of a link's name: "${link.prefix}"`);
  }
  ok(gateway === undefined || isIPv4(gateway), `gateway is "${gateway}"`);
  ok(gatewayIPv6 === undefined || isIPv6(gatewayIPv6), `gateway of IPv6 is "${gatewayIPv6}"`);
  for (const { destination, nextHop } of routes) {
    const [address = "", length = ""] = destination.split("/");
    ok((isIPv4(address) || isIPv6(address)) && /^\d+$/.test(length), `route goes to "${destination}"`);
    ok(nextHop === undefined || isIPv4(nextHop) || isIPv6(nextHop), `route goes by "${nextHop}"`);
  }
}

/** The plugin's process is killed between any two calls, and another one takes its place. */
import { ok } from "node:assert/strict";
import { needsRestart } from "../../driver-kit.ts";
import type { NetworkCheck, NetworkContext } from "../context.ts";

interface Made {
  network: string;
  endpoint: string;
  link?: string | undefined;
}
type Step = readonly [name: string, what: string, run: (context: NetworkContext, made: Made) => Promise<unknown>];

const steps: readonly Step[] = [
  ["network", "it made a network", async ({ createNetwork }, made) => (made.network = await createNetwork())],
  [
    "endpoint",
    "it made an endpoint",
    async ({ createEndpoint }, made) => (made.endpoint = await createEndpoint(made.network)),
  ],
  [
    "join",
    "a container joined",
    async ({ join }, made) => (made.link = (await join(made.network, made.endpoint)).interface?.source),
  ],
  ["leave", "a container left", ({ leave }, { network, endpoint }) => leave(network, endpoint)],
  [
    "endpoint-deleted",
    "it deleted an endpoint",
    ({ deleteEndpoint }, { network, endpoint }) => deleteEndpoint(network, endpoint),
  ],
  ["network-deleted", "it deleted a network", ({ deleteNetwork }, { network }) => deleteNetwork(network)],
];

export const restartChecks: readonly NetworkCheck[] = steps.map(([name, what], at): NetworkCheck => ({
  id: `restart/after-${name}`,
  title: `a plugin that is killed after ${what} knows what it knew, and goes on`,
  source: "kill(2) SIGKILL; the engine keeps networks, and creates none again (moby v20.10.24 libnetwork/store.go)",
  symptom: "After a crash or an update of the plugin its networks cannot be used, or containers lose theirs.",
  makes: "networks, and new processes of the plugin",
  needs: needsRestart,
  async run(context) {
    const made: Made = { network: "", endpoint: "" };
    for (const [, , run] of steps.slice(0, at + 1)) await run(context, made);
    await context.killAndRestart?.();
    if (name === "network-deleted") {
      return context.refused(context.createEndpoint(made.network, 3), "NOT_FOUND", made.network);
    }
    if (name === "join" && made.link !== undefined && context.hasLink !== undefined) {
      ok(await context.hasLink(made.link), `link "${made.link}" is gone`);
    }
    await context.createEndpoint(made.network, 3); // another container comes
    for (const [, , run] of steps.slice(at + 1)) await run(context, made);
  },
}));

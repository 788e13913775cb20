/** All that the contract promises, and what Docker tells of its metrics. */
import { CleatError, TransportError } from "../../errors/index.ts";
import { metricsCollectorProtocol } from "../../protocol/index.ts";
import { needsRestart, needsWire, wireOf } from "../protocol/driver-kit.ts";
import { dialectsOf } from "../wire/engine-dialects.ts";
import { tellStory } from "../protocol/engine-story.ts";
import { type MetricsCheck, type MetricsContext, needsSocket } from "./context.ts";

const { startMetrics, stopMetrics } = metricsCollectorProtocol.methods;
const unix = "moby v20.10.24 daemon/metrics_unix.go";
const makes = "a socket where the plugin looks for Docker's";

export const metricsCollectorChecks: readonly MetricsCheck[] = [
  {
    id: "metrics/stop-first",
    title: "takes it for stopped when nothing was started, and when it was stopped",
    source: "moby v20.10.24 daemon/metrics.go cleanupMetricsPlugins: told of each plugin when the daemon ends",
    symptom: "The daemon's log has a failure each time that it ends.",
    async run({ collector }) {
      await collector.stop();
      await collector.stop();
    },
  },
  {
    id: "metrics/start-again",
    title: "starts anew with another socket in the old one's place, without a stop before, and reads that",
    source: `${unix} listenMetricsSock: the daemon was killed, and makes its socket anew`,
    symptom: "After a crash of the daemon its metrics stay what they were.",
    makes,
    needs: needsSocket,
    async run({ collector, putSocket, waitForRead }) {
      for (let time = 0; time < 3; time++) {
        await putSocket?.("good");
        await collector.start();
      }
      await waitForRead();
      await collector.stop();
    },
  },
  {
    id: "metrics/no-socket",
    title: "answers a start, with a failure or without, when there is no socket",
    source: `${unix} pluginStartMetricsCollection`,
    symptom: "docker plugin enable hangs.",
    makes,
    needs: needsSocket,
    run: (context) => startWith(context, "absent"),
  },
  {
    id: "metrics/bad-socket",
    title: "answers a start when the socket never answers, or breaks off",
    source: `${unix} pluginStartMetricsCollection`,
    symptom: "docker plugin enable hangs, or the plugin ends.",
    makes,
    needs: needsSocket,
    async run(context) {
      await startWith(context, "broken");
      await startWith(context, "silent");
    },
  },
  ...dialectsOf(metricsCollectorProtocol).map((dialect): MetricsCheck => {
    const versions = dialect.versions.join(", ");
    return {
      id: `engine/${dialect.id}-enable`,
      title: `does what ${versions} want for docker plugin enable, and when they end`,
      source: `${dialect.source}; ${unix}`,
      symptom: `docker plugin enable fails on ${versions}.`,
      makes,
      needs: (context) => needsWire(context) ?? needsSocket(context),
      async run(context) {
        await context.putSocket?.("good");
        await tellStory(wireOf(context), dialect, [{ method: startMetrics }, { method: stopMetrics }]);
      },
    };
  }),
  {
    id: "restart/started",
    title: "a plugin that is killed starts, stops and reads as before",
    source: "kill(2) SIGKILL",
    symptom: "After a crash or an update of the plugin there are no metrics until the daemon is started anew.",
    makes: `${makes}, and new processes of the plugin`,
    needs: (context) => needsRestart(context) ?? needsSocket(context),
    async run({ collector, putSocket, killAndRestart, reads, waitForRead }) {
      await putSocket?.("good");
      await collector.start();
      await killAndRestart?.();
      await collector.stop();
      const before = reads();
      await collector.start();
      await waitForRead(before);
    },
  },
];

/** A failure is as good as a success; no answer is not. */
async function startWith({ collector, putSocket }: MetricsContext, behaviour: "absent" | "broken" | "silent") {
  await putSocket?.(behaviour);
  await collector.start().catch((error: unknown) => {
    if (error instanceof TransportError || !(error instanceof CleatError)) throw error;
  });
  await collector.stop();
}

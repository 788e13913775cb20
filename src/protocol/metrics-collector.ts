import { defineProtocol } from "./define-protocol.ts";
import { goStruct } from "./go-json.ts";

const nothing = goStruct({});

export const metricsCollectorProtocol = defineProtocol({
  name: "MetricsCollector",
  summary:
    "Plugins that read Docker's own metrics (since 17.06). Docker answers `GET /metrics`, in Prometheus's text format, on a " +
    "unix socket: `/run/docker/metrics.sock` within a managed plugin, `metrics.sock` in the daemon's `--exec-root` for " +
    "others.",
  methods: {
    startMetrics: {
      summary: "The socket is there: begin. Docker says so whenever it starts or activates the plugin.",
      path: "/MetricsCollector.StartMetrics",
      framing: "json",
      request: nothing,
      response: nothing,
      timeoutMs: 60_000,
      source: "moby v20.10.24 daemon/metrics.go",
    },
    stopMetrics: {
      summary: "The daemon stops: the socket goes. Docker tells managed plugins only.",
      path: "/MetricsCollector.StopMetrics",
      framing: "json",
      request: nothing,
      response: nothing,
      timeoutMs: 60_000,
      source: "moby v20.10.24 daemon/metrics.go",
    },
  },
});

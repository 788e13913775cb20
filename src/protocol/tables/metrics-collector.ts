import { defineProtocol } from "../definition/define-protocol.ts";
import { goStruct } from "../definition/go-json.ts";

const nothing = goStruct({});

export const metricsCollectorProtocol = defineProtocol({
  name: "MetricsCollector",
  summary:
    "Managed plugins that read Docker's own metrics (since 17.06). Docker answers `GET /metrics`, in Prometheus's " +
    "text format, on a unix socket: `/run/docker/metrics.sock` within the plugin. A plugin on a socket of its own " +
    "must not list it: Docker's activation of it waits for itself (moby v20.10.24 `pkg/plugins/plugins.go`, " +
    "`runHandlers`).",
  methods: {
    startMetrics: {
      summary: "The socket is there: begin. Docker says so when the plugin is enabled, and when the daemon starts.",
      path: "/MetricsCollector.StartMetrics",
      framing: "json",
      request: nothing,
      response: nothing,
      timeoutMs: 60_000,
      source: "moby v20.10.24 daemon/metrics.go",
    },
    stopMetrics: {
      summary: "The daemon stops: the socket goes.",
      path: "/MetricsCollector.StopMetrics",
      framing: "json",
      request: nothing,
      response: nothing,
      timeoutMs: 60_000,
      source: "moby v20.10.24 daemon/metrics.go",
    },
  },
});

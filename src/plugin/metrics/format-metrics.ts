import { bucketSeconds, type CallMetrics } from "./call-metrics.ts";

/** What Prometheus reads: text format 0.0.4. */
export const metricsMediaType = "text/plain; version=0.0.4; charset=utf-8";

interface Sample {
  readonly suffix?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Calls and process, as Prometheus reads them. Names of the process's are those of Prometheus' own clients. */
export function formatMetrics(calls: CallMetrics): string {
  const counts = calls.counts();
  const totals = counts.map(({ subsystem, method, outcome, count }) => {
    return { labels: { subsystem, method, outcome }, value: count };
  });
  const { user, system } = process.cpuUsage();
  const startSeconds = Date.now() / 1000 - process.uptime();
  return [
    family(
      "cleat_calls_total",
      "counter",
      "Calls that were answered, by outcome: OK or the code of the failure.",
      totals,
    ),
    family("cleat_call_duration_seconds", "histogram", "How long it took until the answer began.", durations(calls)),
    family("cleat_calls_running", "gauge", "Calls that run now.", [{ value: calls.running() }]),
    family("process_cpu_seconds_total", "counter", "Processor time.", [{ value: (user + system) / 1e6 }]),
    family("process_resident_memory_bytes", "gauge", "Memory.", [{ value: process.memoryUsage.rss() }]),
    family("process_start_time_seconds", "gauge", "When the process began.", [{ value: startSeconds }]),
  ].join("");
}

function durations(calls: CallMetrics): readonly Sample[] {
  return calls.counts().flatMap(({ subsystem, method, outcome, count, sumSeconds, buckets }): Sample[] => {
    const labels = { subsystem, method, outcome };
    let below = 0;
    return [
      ...buckets.map((more, at): Sample => {
        below += more;
        return { suffix: "_bucket", labels: { ...labels, le: String(bucketSeconds[at]) }, value: below };
      }),
      { suffix: "_bucket", labels: { ...labels, le: "+Inf" }, value: count },
      { suffix: "_sum", labels, value: sumSeconds },
      { suffix: "_count", labels, value: count },
    ];
  });
}

function family(
  name: string,
  type: "counter" | "gauge" | "histogram",
  help: string,
  samples: readonly Sample[],
): string {
  const lines = samples.map(({ suffix = "", labels = {}, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`);
    return `${name}${suffix}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function escape(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

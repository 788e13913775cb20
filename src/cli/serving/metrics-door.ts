import { serveMetrics } from "../../plugin/index.ts";
import { parseAddress } from "../../transport/index.ts";
import { orUsageError, UsageError } from "../terminal/command.ts";
import type { Door } from "./door.ts";

/** Answers Prometheus at "unix:///PATH" or "HOST:PORT". @throws what is wrong with the address. */
export async function openMetricsDoor(text: string): Promise<Door> {
  const place = orUsageError(() => parseAddress(text.includes("://") ? text : `tcp://${text}`));
  if ("https" in place || (!("unix" in place) && !/:\d+$/.test(text))) {
    throw new UsageError(`--metrics takes unix:///PATH or 127.0.0.1:PORT, not ${JSON.stringify(text.slice(0, 80))}`);
  }
  const metrics = await serveMetrics({ listen: place });
  const { address } = metrics;
  return { lines: [`Metrics at ${address}`], fields: { door: "metrics", address }, close: () => metrics.close() };
}

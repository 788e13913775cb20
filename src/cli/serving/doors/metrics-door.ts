import { serveMetrics } from "../../../plugin/index.ts";
import { parseAddress } from "../../../transport/index.ts";
import { UsageError } from "../../terminal/command.ts";
import type { Door } from "./door.ts";

/**
 * Answers Prometheus at a socket ("/PATH", "unix:///PATH") or at "HOST:PORT". @throws what is wrong with the address.
 */
export async function openMetricsDoor(text: string): Promise<Door> {
  const place = readPlace(text);
  if (place === undefined) {
    const given = JSON.stringify(text.slice(0, 80));
    throw new UsageError(`--metrics takes a socket's path or 127.0.0.1:PORT, not ${given}`);
  }
  const metrics = await serveMetrics({ listen: place, handleSignals: false });
  const { address } = metrics;
  return { lines: [`Metrics at ${address}`], fields: { door: "metrics", address }, close: () => metrics.close() };
}

function readPlace(text: string) {
  if (text.startsWith("/")) return { unix: text };
  try {
    const place = parseAddress(text.includes("://") ? text : `tcp://${text}`);
    return "https" in place || ("tcp" in place && !/:\d+$/.test(text)) ? undefined : place;
  } catch {
    return undefined;
  }
}

import { differName, snapshotterName } from "./tables.ts";
import { formatHeader, parseToml } from "./toml-text.ts";

/**
 * The tables that name Cleat's plugins although none of them is configured: their owner has written that, and
 * containerd, or Kubernetes on it, does not come up so. "[plugins."io.containerd.grpc.v1.cri".containerd]"
 */
export function leftReferences(text: string, subject: string): string[] {
  const file = parseToml(text, subject);
  const proxies = Object.keys(file["proxy_plugins"] ?? {});
  const missing = [snapshotterName, differName].filter((name) => !proxies.includes(name));
  return [...new Set(headersNaming(file, missing, []))];
}

function headersNaming(value: unknown, names: readonly string[], path: readonly string[]): string[] {
  if (typeof value === "string") return names.includes(value) ? [formatHeader(path.slice(0, -1))] : [];
  if (Array.isArray(value)) return value.flatMap((one) => headersNaming(one, names, path));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => headersNaming(inner, names, [...path, key]));
}

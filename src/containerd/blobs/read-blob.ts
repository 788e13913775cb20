import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { CleatError } from "../../errors/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import type { Containerd } from "../client.ts";
import { hexOfDigest } from "./digest.ts";

/**
 * A blob's bytes, out of containerd's own file where this process sees it, since the API hands them out in pieces of 32
 * KiB; else through the API. That they are those of the digest is the reader's to check.
 * @throws NOT_FOUND when the namespace has no such blob.
 * @throws INVALID_ARGUMENT for what is no SHA-256 digest.
 */
export async function readBlob(
  containerd: Containerd,
  digest: string,
  call?: CallOptions,
): Promise<AsyncIterable<Uint8Array>> {
  const hex = hexOfDigest(digest);
  const { info } = await containerd.services.content.info({ digest }, call);
  if (info === undefined) throw new CleatError("DATA_LOSS", `answer about blob ${digest} lacks what is known of it`);
  const root = await contentRoot(containerd, call);
  const path = root === undefined ? undefined : await fileOfSize(`${root}/blobs/sha256/${hex}`, info.size);
  if (path === undefined) return readThroughApi(containerd, digest, call);
  call?.signal?.throwIfAborted(); // Node opens the file all the same, and never closes it
  return createReadStream(path, { highWaterMark: 1 << 20, signal: call?.signal });
}

/** As containerd hands them out. */
export async function* readThroughApi(
  { services: { content } }: Containerd,
  digest: string,
  call?: CallOptions,
): AsyncGenerator<Uint8Array> {
  for await (const { data } of content.read({ digest }, call)) yield data;
}

/**
 * Where containerd keeps its blobs, as it sees it itself; asked once of a connection. Source: containerd v1.6.20
 * `services/server/server.go`: the built-in content store exports its `root`; `content/local/store.go`, blobPath.
 */
async function contentRoot({ services, channel }: Containerd, call?: CallOptions): Promise<string | undefined> {
  const known = contentRoots.get(channel);
  if (known !== undefined) return known;
  const { plugins } = await services.introspection.plugins({ filters: ["type==io.containerd.content.v1"] }, call);
  const root = plugins.find(({ id }) => id === "content")?.exports["root"];
  if (root !== undefined) contentRoots.set(channel, root);
  return root;
}

const contentRoots = new WeakMap<object, string>();

/** Only one of that size: this process may have another root folder than containerd. */
async function fileOfSize(path: string, sizeBytes: bigint): Promise<string | undefined> {
  try {
    const status = await stat(path, { bigint: true });
    return status.isFile() && status.size === sizeBytes ? path : undefined;
  } catch {
    return undefined; // it is read through the API, which says what is wrong
  }
}

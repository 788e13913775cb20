import { createHash } from "node:crypto";
import { type Exchange, type Fixture, recordedBytes, type RecordedBody } from "../../src/host/index.ts";
import { methodOf } from "./corpus.ts";

/**
 * A recording as it is kept. Nothing in it is changed but this:
 *
 * - calls that are not an engine's (those by which the capture sees that a plugin is up) are left out;
 * - of the archives of layers there is the size and the SHA-256 only.
 *
 * Ids, paths and times are those of the recording: nobody's secret, and as long as the engine's.
 */
export function trimFixture({ header, exchanges }: Fixture): Pick<Fixture, "header" | "exchanges"> {
  return { header, exchanges: exchanges.filter(isEngines).map(withoutArchives) };
}

/** Both engines are written in Go. */
function isEngines({ request }: Exchange): boolean {
  return request.headers.some(([name, value]) => name === "User-Agent" && value.startsWith("Go-http-client/"));
}

function withoutArchives(exchange: Exchange): Exchange {
  const { request, response } = exchange;
  const framing = methodOf(request.url)?.method.framing;
  if (framing === "upload") return { ...exchange, request: { ...request, body: digestOnly(request.body) } };
  if (framing !== "download" || response?.status !== 200) return exchange;
  return { ...exchange, response: { ...response, body: digestOnly(response.body) } };
}

function digestOnly(body: RecordedBody): RecordedBody {
  const sha256 = body.sha256 ?? createHash("sha256").update(recordedBytes(body)).digest("hex");
  return { sizeBytes: body.sizeBytes, sha256, text: "" };
}

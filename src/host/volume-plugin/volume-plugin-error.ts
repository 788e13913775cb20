import { CleatError, quoteText, RemoteError, withSubject } from "../../errors/index.ts";
import { parseFailure, parseGoJson } from "../../protocol/index.ts";

/**
 * A failure in Podman's words: `on "VOLUME" in volume plugin "NAME": …`, with its code; the error itself is the
 * `cause`. What the plugin said is told as it said it.
 *
 * Source: podman v4.3.1 `libpod/plugin/volume_api.go`, `makeErrorResponse`.
 */
export function toVolumePluginError(error: unknown, plugin: string, volume: string | undefined): CleatError {
  const place = `in volume plugin "${plugin}"`;
  const subject = volume === undefined ? place : `on ${quoteText(volume, maxNameCharacters)} ${place}`;
  if (!(error instanceof RemoteError)) return withSubject(error, subject);
  const said = saysNothing(error.remoteMessage) ? "empty error from plugin" : error.remoteMessage;
  return new CleatError(error.code, `${subject}: ${said}`, { cause: error });
}

/** Names of volumes are no longer than that. */
const maxNameCharacters = 255;

/** An answer without a body, or JSON with nothing in it: `{"Err":""}`. */
function saysNothing(text: string): boolean {
  if (text === saidOfNothing) return true;
  try {
    const fields = Object.values(parseGoJson(Buffer.from(text), "answer", "UNKNOWN") as object);
    return fields.every((field) => field === "" || field === null);
  } catch {
    return false; // words
  }
}

const saidOfNothing = parseFailure(Buffer.alloc(0)).message;

/**
 * What Docker's router makes of a URI. A policy that looks at the URI itself sees `/containers/%63reate` and
 * `http://x/containers/create` pass, which are both the route that it forbids.
 *
 * Source: go1.19 `net/url/url.go`, `ParseRequestURI`; gorilla/mux v1.8.0 `mux.go`, `ServeHTTP` and `cleanPath`; moby
 * v20.10.24 `api/server/server.go`, `createMux`, the same in v28.5.2.
 */
import { CleatError, quoteText } from "../errors/index.ts";

export interface ApiRoute {
  /** Decoded, without the version: "/containers/create". */
  readonly path: string;
  /** "1.41"; `undefined` where the client named none, and gets the engine's newest. */
  readonly version: string | undefined;
  /** As it stands after the question mark. */
  readonly rawQuery: string;
}

/** @throws INVALID_ARGUMENT for a URI that Docker would not route, or not before it has sent the client elsewhere. */
export function parseApiUri(uri: string): ApiRoute {
  const refuse = (problem: string) => new CleatError("INVALID_ARGUMENT", `URI ${quoteText(uri)} ${problem}`);
  if (hasControlCharacter(uri)) throw refuse("holds control characters");
  const origin = originForm(uri);
  if (origin === undefined) throw refuse("is not absolute");
  const [rawPath, rawQuery] = splitAt(origin, "?");
  const whole = unescapePath(rawPath);
  if (whole === undefined) throw refuse("is not UTF-8 in percent-encoding");
  if (!isClean(whole)) throw refuse("has a path that Docker redirects before it asks");
  const [, version, path = whole] = /^\/v([0-9.]+)(\/.*)$/s.exec(whole) ?? [];
  return { path, version, rawQuery };
}

/** "http://host/path" as "/path": Go takes both. */
function originForm(uri: string): string | undefined {
  if (uri.startsWith("/")) return uri;
  const [, rest] = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?]*(.*)$/s.exec(uri) ?? [];
  if (rest === undefined) return undefined;
  return rest.startsWith("/") ? rest : `/${rest}`;
}

/** Each `%XX`, slashes too; a `+` stays. `undefined` where Go refuses it, and where it is not UTF-8. */
function unescapePath(rawPath: string): string | undefined {
  try {
    return decodeURIComponent(rawPath);
  } catch {
    return undefined;
  }
}

/** No empty, `.` or `..` segment, but for a slash at the end. */
function isClean(path: string): boolean {
  const segments = path.split("/").slice(1);
  return segments.every((segment, at) => {
    if (segment === "") return at === segments.length - 1;
    return segment !== "." && segment !== "..";
  });
}

function hasControlCharacter(text: string): boolean {
  return [...text].some((character) => character < " " || character === "\u007f");
}

function splitAt(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

const patterns = new Map<string, RegExp>();

/**
 * The values of `{name}`s in `template` ("/containers/{id}/exec"), or `undefined` where it is another route. As in
 * Docker's routes a value may hold slashes, so that no path that Docker routes there is missed.
 */
export function matchRoute(template: string, path: string): Readonly<Record<string, string>> | undefined {
  let pattern = patterns.get(template);
  if (pattern === undefined) {
    const source = template
      .split(/\{(\w+)\}/)
      .map((part, at) => (at % 2 === 1 ? `(?<${part}>.*)` : escapeRegExp(part)));
    pattern = new RegExp(`^${source.join("")}$`, "s");
    patterns.set(template, pattern);
  }
  const match = pattern.exec(path);
  return match === null ? undefined : { ...match.groups };
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

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

/** What stands before, between and behind the names of a template. */
interface Template {
  readonly literals: readonly string[];
  readonly names: readonly string[];
}

const templates = new Map<string, Template>();

function parseTemplate(text: string): Template {
  let template = templates.get(text);
  if (template === undefined) {
    const parts = text.split(/\{(\w+)\}/);
    const [literals, names] = [0, 1].map((odd) => parts.filter((_, at) => at % 2 === odd)) as [string[], string[]];
    template = { literals, names };
    templates.set(text, template);
  }
  return template;
}

/**
 * The values of `{name}`s in `template` ("/containers/{id}/exec"), or `undefined` where it is another route. As in
 * Docker's routes a value may hold slashes, so that no path that Docker routes there is missed; of two names the first
 * takes as much as it can. From behind, in a time that grows with the path: an expression would try each way to share
 * a path of a mebibyte among two names, for minutes in which nobody else is answered.
 */
export function matchRoute(template: string, path: string): Readonly<Record<string, string>> | undefined {
  const { literals, names } = parseTemplate(template);
  const [first = ""] = literals;
  if (names.length === 0) return path === first ? {} : undefined;
  const last = literals.at(-1) as string;
  if (!path.startsWith(first) || !path.endsWith(last)) return undefined;
  const values: Record<string, string> = {};
  let end = path.length - last.length;
  for (let at = names.length - 1; at >= 0; at--) {
    const literal = literals[at] as string;
    const latest = end - literal.length;
    if (latest < 0) return undefined;
    const start = at === 0 ? 0 : path.lastIndexOf(literal, latest);
    if (start < 0) return undefined;
    values[names[at] as string] = path.slice(start + literal.length, end);
    end = start;
  }
  return values;
}

/** A page for each protocol's table, and one for what all have in common. */
import {
  announcedName,
  defaultMaxReplyBytes,
  defaultMaxRequestBytes,
  failureFieldOf,
  pluginMediaType,
  protocols,
} from "#dist/protocol/index.js";
import { listFields } from "./schema-fields.mjs";
import { formatMarkdownTable, madeBy } from "./markdown.mjs";

/** @returns {[path: string, text: string][]} */
export function protocolPages() {
  return [
    ["docs/protocols/README.md", formatIndex()],
    ...protocols.map((protocol) => [pagePath(protocol), formatProtocol(protocol)]),
  ];
}

function fileName(protocol) {
  return `${announcedName(protocol)
    .replace(/(?<=[a-z])(?=[A-Z])/g, "-")
    .toLowerCase()}.md`;
}

function pagePath(protocol) {
  return `docs/protocols/${fileName(protocol)}`;
}

function formatIndex() {
  const rows = protocols.map((protocol) => [
    `[${protocol.name}](${fileName(protocol)})`,
    String(Object.keys(protocol.methods).length),
    protocol.summary,
  ]);
  return `# Protocols of plugins

${madeBy}
${formatMarkdownTable(["protocol", "methods", "what it is"], rows)}

Every call is an HTTP/1.1 \`POST\` to the method's path, on a unix socket, TCP or TLS. Messages have the
\`Content-Type\` \`${pluginMediaType}\`; a plugin takes whatever type an engine sends, or none.

${formatMarkdownTable(
  ["framing", "request", "answer"],
  [
    ["json", "JSON", "JSON"],
    ["upload", "arguments in the query, a raw body", "JSON"],
    ["download", "JSON", "a raw body"],
  ],
)}

JSON is read as Go reads it: an empty body is \`{}\`, the names of fields match whatever their case, unknown fields are
passed over, of duplicates the last one counts, \`null\` is as good as absent, bytes are base64. The package has each
protocol's messages as a JSON Schema, too (\`cleat/schemas/NetworkDriver.json\`): \`methods\` says by path which of its
\`$defs\` are whose.

A failure is any status but 200, or an answer of 200 that has \`Err\` (in some protocols another field):
\`{"Err": "why", "Code": "NOT_FOUND"}\`. \`Code\` is Cleat's addition, which engines pass over. 404 is for a method that
is not there, 400 for a malformed request, 413 for one over the limit, 500 for a method that failed.

A *deadline* is the client's: until the answer is there, for uploads and downloads the longest silence. A *limit* is how
many bytes of JSON are read: ${formatBytes(defaultMaxRequestBytes)} of a request and
${formatBytes(defaultMaxReplyBytes)} of an answer, where a method has none of its own. Raw bodies have no limit.
`;
}

function formatProtocol(protocol) {
  const { name, summary, methods } = protocol;
  const overview = Object.values(methods).map((method) => [
    `[\`${wireName(method)}\`](#${wireName(method).replace(".", "").toLowerCase()})`,
    method.framing,
    formatMs(method.timeoutMs),
    [method.since && sinceText(method.since), method.optional && "a plugin may lack it"].filter(Boolean).join("; "),
  ]);
  const announced =
    name === "Plugin"
      ? "No plugin lists it."
      : `A plugin that speaks it lists \`${announcedName(protocol)}\` under \`Implements\`.`;
  return [
    `# ${name}`,
    madeBy,
    summary,
    `${announced}${failureText(protocol)} What all protocols have in common is in the [overview](README.md);
as JSON Schema the messages are in [\`cleat/schemas/${name}.json\`](../../schemas/${name}.json).`,
    formatMarkdownTable(["method", "framing", "deadline", ""], overview),
    ...Object.values(methods).flatMap(formatMethod),
    "",
  ]
    .join("\n\n")
    .replace(/\n+$/, "\n");
}

function failureText(protocol) {
  const field = failureFieldOf(protocol);
  return field === "Err" ? "" : ` An answer of 200 that is a failure says so in \`${field}\`, not in \`Err\`.`;
}

function sinceText(version) {
  return `from Docker ${version} on`;
}

function formatMethod(method) {
  const { path, framing, mediaType, request, response, timeoutMs, source, since } = method;
  const { maxRequestBytes = defaultMaxRequestBytes, maxReplyBytes = defaultMaxReplyBytes } = method;
  const silence = framing === "json" ? "" : " of silence";
  const facts = [
    ["path", `\`${path}\``],
    ["framing", framing + (mediaType === undefined ? "" : `; the raw body is \`${mediaType}\``)],
    ["deadline", `${formatMs(timeoutMs)}${silence}`],
    ...(framing === "upload" ? [] : [["limit of the request", formatBytes(maxRequestBytes)]]),
    ...(framing === "download" ? [] : [["limit of the answer", formatBytes(maxReplyBytes)]]),
    ...(since === undefined ? [] : [["since", `Docker ${since}`]]),
    ["source", source.replace(/(\S+\.go)$/, "`$1`")],
  ];
  return [
    `## ${wireName(method)}`,
    method.summary,
    formatMarkdownTable(["", ""], facts),
    formatFields(framing === "upload" ? "The query" : "The request", request),
    framing === "download" ? `The answer is the raw body.` : formatFields("The answer", response),
  ];
}

function formatFields(title, schema) {
  const rows = listFields(schema).map(({ field, type, presence, since }) => [
    `\`${field}\``,
    type,
    since === undefined ? presence : `${presence}; ${sinceText(since)}`,
  ]);
  if (rows.length === 0) return `${title} has no fields.`;
  return `${title}:\n\n${formatMarkdownTable(["field", "type", ""], rows)}`;
}

function wireName({ path }) {
  return path.slice(1);
}

function formatMs(ms) {
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1_000} s`;
}

function formatBytes(bytes) {
  return bytes % (1024 * 1024) === 0 ? `${bytes / 1024 / 1024} MiB` : `${bytes / 1024} KiB`;
}

/** A JSON Schema for each protocol's table, for those who write or test plugins in other languages. */
import { z } from "zod";
import { announcedName, failureFieldOf, protocols } from "#dist/protocol/index.js";

/** @returns {[path: string, text: string][]} */
export function protocolSchemas() {
  return protocols.map((protocol) => [
    `schemas/${protocol.name}.json`,
    `${JSON.stringify(toSchema(protocol), undefined, 2)}\n`,
  ]);
}

/** `methods` is an annotation: it says which of the definitions is whose. */
function toSchema(protocol) {
  const methods = Object.values(protocol.methods);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: protocol.name,
    description: `${protocol.summary} Names of fields match whatever their case, and unknown fields are passed over.`,
    implements: announcedName(protocol),
    methods: Object.fromEntries(methods.map((method) => [method.path, describeMethod(method)])),
    $defs: {
      failure: describeFailure(protocol),
      ...Object.fromEntries(
        methods.flatMap((method) => [
          [`${methodName(method)}.request`, toMessageSchema(method.request)],
          ...(method.framing === "download"
            ? []
            : [[`${methodName(method)}.response`, toMessageSchema(method.response)]]),
        ]),
      ),
    },
  };
}

function describeMethod(method) {
  const { summary, framing, mediaType, optional, since, timeoutMs, source } = method;
  const definition = (kind) => ({ $ref: `#/$defs/${methodName(method)}.${kind}` });
  return {
    description: summary,
    framing,
    mediaType,
    optional,
    since,
    timeoutMs,
    source,
    request: definition("request"),
    response: framing === "download" ? undefined : definition("response"),
    failure: { $ref: "#/$defs/failure" },
  };
}

/** Of an answer with another status than 200; of one of 200, the protocol's own field. */
function describeFailure(protocol) {
  const field = failureFieldOf(protocol);
  const fields = [...new Set(["Err", field])];
  const properties = Object.fromEntries([...fields, "Code"].map((name) => [name, { type: "string" }]));
  return {
    description: `With a status other than 200 in \`Err\`; with 200 in \`${field}\`, where it is not empty.`,
    anyOf: fields.map((name) => ({ type: "object", properties, required: [name] })),
  };
}

function methodName({ path }) {
  return path.slice(path.indexOf(".") + 1);
}

/** What a reader takes: Go's `null` for whatever may be absent, and fields that it does not know. */
function toMessageSchema(message) {
  const { $schema: _, ...schema } = z.toJSONSchema(message, { unrepresentable: "any", override: asOnTheWire });
  return schema;
}

/** @type {(context: { zodSchema: import("zod").ZodType, jsonSchema: Record<string, unknown> }) => void} */
function asOnTheWire({ zodSchema, jsonSchema }) {
  const { def } = zodSchema;
  if (def.type === "object") {
    const required = Object.keys(def.shape).filter((name) => isRequired(def.shape[name]));
    for (const [name, property] of Object.entries(jsonSchema.properties))
      if (!required.includes(name)) jsonSchema.properties[name] = orNull(property);
    delete jsonSchema.additionalProperties;
    delete jsonSchema.required;
    if (required.length > 0) jsonSchema.required = required;
  }
  if (def.type === "record") delete jsonSchema.propertyNames;
  if (def.type === "pipe" && def.out.def.type === "custom")
    Object.assign(jsonSchema, { type: "string", contentEncoding: "base64" }); // bytes
  for (const limit of ["minimum", "maximum"])
    if (Math.abs(jsonSchema[limit]) === Number.MAX_SAFE_INTEGER) delete jsonSchema[limit];
}

/** A codec whose JSON side may be absent may be. */
function isRequired({ def }) {
  if (def.type === "pipe") return isRequired(def.in.def.type === "unknown" ? def.out : def.in);
  return !["optional", "nullable", "default", "unknown"].includes(def.type);
}

function orNull(schema) {
  return typeof schema.type === "string"
    ? { ...schema, type: [schema.type, "null"] }
    : { anyOf: [schema, { type: "null" }] };
}

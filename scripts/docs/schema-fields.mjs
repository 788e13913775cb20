/**
 * The fields of a message as rows for a table: what its zod schema says, in JSON's terms. A schema of a kind that is
 * not known here is an error, and not a guess.
 */

/**
 * @param {import("zod").ZodType} schema of a request or a response
 * @returns {{ field: string, type: string, presence: string, since?: string }[]} nested ones as `Volume.Name`, of lists
 * as `Volumes[].Name`
 */
export function listFields(schema) {
  const { fields } = describe(schema);
  return fields === undefined ? [] : flatten(fields, "");
}

function flatten(fields, prefix) {
  return Object.entries(fields).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const own = { field: path, type: field.type, presence: field.presence ?? "required", since: field.since };
    return field.fields === undefined ? [own] : [own, ...flatten(field.fields, `${path}${field.isList ? "[]." : "."}`)];
  });
}

const kinds = {
  string: () => ({ type: "string" }),
  number: (def) => ({ type: def.check === "number_format" ? "integer" : "number" }),
  boolean: () => ({ type: "true or false" }),
  unknown: () => ({ type: "any JSON" }),
  object: (def) => ({
    type: "object",
    fields: Object.fromEntries(Object.entries(def.shape).map(([name, field]) => [name, describe(field)])),
  }),
  array: (def) => {
    const { type, fields } = describe(def.element);
    return { type: `list of ${plural(type)}`, fields, isList: true };
  },
  record: (def) => ({ type: `object whose values are ${plural(describe(def.valueType).type)}` }),
  tuple: (def) => ({ type: `[${def.items.map((item) => describe(item).type).join(", ")}]` }),
  literal: (def) => ({ type: def.values.map((value) => JSON.stringify(value)).join(", ") }),
  union: (def) => ({ type: def.options.map((option) => describe(option).type).join(", ") }),
  optional: (def) => ({ presence: "may be absent", ...describe(def.innerType) }),
  default: (def) => ({ ...describe(def.innerType), presence: ifAbsent(def.defaultValue) }),
  pipe: describeCodec,
};

function describe(schema) {
  const { def } = schema;
  const kind = kinds[def.type];
  if (kind === undefined) throw new Error(`a schema of kind ${def.type} cannot be described`);
  const since = schema.meta()?.since;
  return { ...kind(def), ...(since !== undefined && { since }) };
}

/** The side that is a JSON value: what a codec of ours reads is that, or (`goBytes`) the text it is made of. */
function describeCodec(def) {
  if (def.out.def.type === "custom") return { type: `string (${def.in.def.format})` };
  const isOptional = ["optional", "nullable"].includes(def.in.def.type);
  return { ...(isOptional && { presence: "may be absent" }), ...describe(def.out) };
}

function ifAbsent(value) {
  if (typeof value === "object" && value !== null && Object.keys(value).length > 0) return "may be absent";
  return `if absent: \`${JSON.stringify(value)}\``;
}

function plural(type) {
  if (type === "any JSON") return type;
  return type.startsWith("[") ? `\`${type}\`` : `${type}s`;
}

/**
 * Changing members of a JSON object in its text, so that what is not changed stays as its owner wrote it: order,
 * spaces, numbers. The text has to be JSON, an object.
 */
interface Member {
  readonly key: string;
  /** Of `"key": value`. */
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

/** What stands twice in its object on the way to a path, so that readers differ in which of the two counts. */
export function findTwice(text: string, path: readonly string[]): string | undefined {
  let at = text.indexOf("{");
  for (const key of path) {
    const [member, other] = membersOf(text, at).filter((one) => one.key === key);
    if (other !== undefined) return key;
    if (member === undefined || text[member.valueStart] !== "{") return undefined;
    at = member.valueStart;
  }
  return undefined;
}

/** Puts a value at a path, below objects that are made if they are not there. */
export function setMember(text: string, path: readonly string[], value: unknown): string {
  return editMember(text, text.indexOf("{"), path, value, indentOf(text), 1);
}

/** Takes out what is at a path, and objects that have nothing else in them but for the outermost. */
export function removeMember(text: string, path: readonly string[]): string {
  const [key = "", ...rest] = path;
  const start = text.indexOf("{");
  const chain = [];
  let at = start;
  for (const name of [key, ...rest]) {
    const members = membersOf(text, at);
    const index = members.findIndex((member) => member.key === name);
    const member = members[index];
    if (member === undefined) return text;
    chain.push({ members, index });
    at = member.valueStart;
  }
  const top = chain.findLast(({ members }, depth) => members.length > 1 || depth === 0);
  return top === undefined ? text : cutMember(text, top.members, top.index);
}

function editMember(
  text: string,
  at: number,
  path: readonly string[],
  value: unknown,
  indent: string,
  depth: number,
): string {
  const [key = "", ...rest] = path;
  const members = membersOf(text, at);
  const member = members.find((one) => one.key === key);
  if (member !== undefined && rest.length > 0 && text[member.valueStart] === "{")
    return editMember(text, member.valueStart, rest, value, indent, depth + 1);
  const whole = rest.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
  const shown = JSON.stringify(whole, undefined, indent).replaceAll("\n", `\n${indent.repeat(depth)}`);
  if (member !== undefined) return text.slice(0, member.valueStart) + shown + text.slice(member.end);
  const first = members[0];
  const isInLine = indent === "" || (first !== undefined && !text.slice(at, first.start).includes("\n"));
  const line = isInLine ? " " : `\n${indent.repeat(depth)}`;
  const added = `${line}${JSON.stringify(key)}: ${shown}`;
  const last = members.at(-1);
  if (last !== undefined) return `${text.slice(0, last.end)},${added}${text.slice(last.end)}`;
  const close = indent === "" ? " " : `\n${indent.repeat(depth - 1)}`;
  return `${text.slice(0, at + 1)}${added}${close}${text.slice(text.indexOf("}", at))}`;
}

/** With the comma that goes with it, and the space before it. */
function cutMember(text: string, members: readonly Member[], index: number): string {
  const [before, member, after] = [members[index - 1], members[index], members[index + 1]];
  if (member === undefined) return text;
  if (before !== undefined) return text.slice(0, before.end) + text.slice(member.end);
  if (after !== undefined) return text.slice(0, member.start) + text.slice(after.start);
  const open = text.lastIndexOf("{", member.start);
  return text.slice(0, open + 1) + text.slice(text.indexOf("}", member.end));
}

/** The members of the object that begins at `at`. */
function membersOf(text: string, at: number): Member[] {
  const members: Member[] = [];
  let next = skipSpace(text, at + 1);
  while (text[next] === '"') {
    const start = next;
    const keyEnd = endOfString(text, start);
    const valueStart = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = endOfValue(text, valueStart);
    members.push({ key: JSON.parse(text.slice(start, keyEnd)) as string, start, valueStart, end });
    next = skipSpace(text, end);
    if (text[next] === ",") next = skipSpace(text, next + 1);
  }
  return members;
}

function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at] as string;
    if (character === '"') at = endOfString(text, at) - 1;
    else if ("{[".includes(character)) depth++;
    else if ("}]".includes(character)) depth--;
    else if (depth > 0 || !/[\s,]/.test(character)) continue;
    if (depth < 0 || (depth === 0 && /[\s,]/.test(character))) return at;
    if (depth === 0 && /["}\]]/.test(character)) return at + 1;
  }
  return text.length;
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

function skipSpace(text: string, at: number): number {
  const rest = /\S/g;
  rest.lastIndex = at;
  return rest.exec(text)?.index ?? text.length;
}

/** What a line of the outermost object begins with; nothing where all is in one line. */
function indentOf(text: string): string {
  return /\{[ \t]*\r?\n([ \t]+)/.exec(text)?.[1] ?? (text.trim() === "{}" ? "  " : "");
}

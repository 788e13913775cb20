import { CleatError, quoteText } from "../errors/index.ts";
import { endOfJsonString, foldGoName } from "../protocol/index.ts";

/**
 * Refuses JSON that two readers may understand differently: objects with two names that are one to Go, which takes of
 * `{"HostConfig":{"Privileged":true},"hostconfig":{}}` both, where JavaScript has the last only, or two.
 *
 * The text has to be JSON.
 * @throws INVALID_ARGUMENT, naming the two.
 */
export function assertPlainJson(text: string, subject: string): void {
  /** The names in each object that is open; `undefined` for a list. */
  const open: (Map<string, string> | undefined)[] = [];
  let lastText = "";
  for (let at = 0; at < text.length; at++) {
    const token = text[at];
    if (token === "{") open.push(new Map());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":") addName(open.at(-1), JSON.parse(lastText) as string, subject);
    else if (token === '"') {
      const end = endOfJsonString(text, at);
      lastText = text.slice(at, end + 1);
      at = end;
    }
  }
}

function addName(names: Map<string, string> | undefined, name: string, subject: string): void {
  const folded = foldGoName(name);
  const before = names?.get(folded);
  if (before !== undefined) {
    const problem = `holds ${quoteText(before)} and ${quoteText(name)} in one object, which are one name to Docker`;
    throw new CleatError("INVALID_ARGUMENT", `${subject} ${problem}`);
  }
  names?.set(folded, name);
}

import { UsageError } from "../../terminal/command.ts";

/**
 * The words of a command line, without a shell: '…' and "…" keep blanks in a word, \ takes the next character as it is
 * (not in '…'); nothing else means anything.
 * @throws UsageError when there is no word, or a quote is left open; `option` begins the message.
 */
export function splitWords(option: string, text: string): readonly [string, ...string[]] {
  const words: string[] = [];
  let rest = text.trimStart();
  while (rest !== "") {
    const found = /^(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+(?=\s|$)/s.exec(rest);
    if (found === null) throw new UsageError(`--${option} has a quote that is left open: ${text.slice(0, 80)}`);
    words.push(unquote(found[0]));
    rest = rest.slice(found[0].length).trimStart();
  }
  const [program, ...others] = words;
  if (program === undefined || program === "") throw new UsageError(`--${option} takes a command, and got none`);
  return [program, ...others];
}

function unquote(word: string): string {
  return word.replaceAll(/'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/gs, (_, single, double, escaped) => {
    if (escaped !== undefined) return String(escaped);
    return single === undefined ? String(double).replaceAll(/\\(.)/gs, "$1") : String(single);
  });
}

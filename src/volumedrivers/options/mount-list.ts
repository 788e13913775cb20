import { z } from "zod";

/**
 * Options of a mount in one text, as Docker's own driver and mount(8) take them: "rw,addr=10.0.0.2". Read as a list;
 * values of those that are passwords are shown nowhere (`hideListed`).
 */
export function mountListOption() {
  return z
    .string()
    .regex(/^[^\0\n]*$/, { error: "may hold neither a NUL nor a line break" })
    .transform((text) => text.split(",").filter((option) => option !== ""));
}

const listedSecret = /(^|,)((?:pass|passwd|password\d?|secret|key)=)([^,]*)/gi;

/** A text of options without the values of passwords. */
export function hideListed(text: string, hidden: string): string {
  return text.replaceAll(listedSecret, `$1$2${hidden}`);
}

export function listedSecrets(text: string): string[] {
  return Array.from(text.matchAll(listedSecret), ([, , , value = ""]) => value).filter((value) => value !== "");
}

/** The value of `name=value` in a list; of several the last. */
export function valueIn(list: readonly string[], name: string): string | undefined {
  return list.findLast((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** A list without some options, whatever their values. */
export function withoutOptions(list: readonly string[], ...names: readonly string[]): string[] {
  return list.filter((option) => !names.includes(option.split("=", 1)[0] ?? ""));
}

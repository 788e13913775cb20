import { readFile } from "node:fs/promises";
import { UsageError } from "./command.ts";

/** The id of a user or group, given as name or number. Names are those of `/etc/passwd` and `/etc/group`. */
export async function readAccountId(kind: "user" | "group", text: string): Promise<number> {
  if (/^\d+$/.test(text)) return Number(text);
  const file = kind === "user" ? "/etc/passwd" : "/etc/group";
  const line = (await readFile(file, "utf8")).split("\n").find((row) => row.startsWith(`${text}:`));
  const id = line?.split(":")[2];
  if (id === undefined) throw new UsageError(`there is no ${kind} "${text}" in ${file}`);
  return Number(id);
}

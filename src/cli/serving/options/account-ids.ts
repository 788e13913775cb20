import { readFile } from "node:fs/promises";
import { UsageError } from "../../terminal/command.ts";

/** The next one, -1, means "leave it as it is". Source: chown(2). */
const maxId = 2 ** 32 - 2;

/** The id of a user or group, given as name or number. Names are those of `/etc/passwd` and `/etc/group`. */
export async function readAccountId(kind: "user" | "group", text: string): Promise<number> {
  if (/^\d+$/.test(text)) {
    if (Number(text) <= maxId) return Number(text);
    throw new UsageError(`${kind} ${text.slice(0, 80)} is more than ${maxId}, the highest there is`);
  }
  const file = kind === "user" ? "/etc/passwd" : "/etc/group";
  const line = (await readFile(file, "utf8")).split("\n").find((row) => row.startsWith(`${text}:`));
  const id = line?.split(":")[2];
  if (id === undefined) throw new UsageError(`there is no ${kind} "${text.slice(0, 80)}" in ${file}`);
  return Number(id);
}

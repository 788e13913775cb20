import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { CleatError } from "../errors/index.ts";
import { parseAddress } from "../transport/index.ts";
import { isListening } from "./probe-listener.ts";
import { readFileIfThere, writeWholeFile } from "./whole-file.ts";

export interface SpecFile {
  readonly path: string;
  /** Removes the file, unless somebody has written another address into it since. */
  remove(): Promise<void>;
}

/**
 * Tells engines where the plugin `name` listens: `DIRECTORY/NAME.spec`, written whole or not at all. A spec file that
 * an earlier process left is replaced when nobody listens at its address.
 *
 * Source: moby v20.10.24 `pkg/plugins/discovery.go`, `readPluginInfo`.
 * @throws FAILED_PRECONDITION when the file names another address at which somebody listens.
 */
export async function writeSpecFile(directory: string, name: string, address: string): Promise<SpecFile> {
  const path = join(directory, `${name}.spec`);
  const content = `${address}\n`;
  await mkdir(directory, { recursive: true, mode: 0o755 });
  await assertUnused(path, content);
  await writeWholeFile(path, content, 0o644);
  return {
    path,
    async remove() {
      if ((await readFileIfThere(path)) === content) await rm(path, { force: true });
    },
  };
}

async function assertUnused(path: string, content: string): Promise<void> {
  const found = await readFileIfThere(path);
  if (found === undefined || found === content) return;
  const address = found.trim();
  if (address !== "" && (await answers(address))) {
    throw new CleatError(
      "FAILED_PRECONDITION",
      `spec file "${path}": another process listens at its address ${address}`,
    );
  }
}

async function answers(text: string): Promise<boolean> {
  let address;
  try {
    address = parseAddress(text);
  } catch {
    throw new CleatError("FAILED_PRECONDITION", `spec file holds ${JSON.stringify(text)}, which Cleat did not write`);
  }
  if ("https" in address) return isListening(address.https);
  return isListening("unix" in address ? { path: address.unix } : address.tcp);
}

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { makeFolders } from "../../files/index.ts";
import { CleatError } from "../../errors/index.ts";
import { type Address, formatAddress, formatJsonSpec, parseSpec, type TlsFiles } from "../../transport/index.ts";
import { readFileIfThere, writeWholeFile } from "../files/whole-file.ts";
import { probeListener } from "./probe-listener.ts";

export interface SpecFile {
  readonly path: string;
  /** Removes the file, unless somebody has written something else into it since. */
  remove(): Promise<void>;
}

type Format = "spec" | "json";

/**
 * Whether the plugin `name` may write its spec file into `directory`; to be asked before it listens, because its own
 * address may stand in what an earlier process left there.
 * @throws FAILED_PRECONDITION when `NAME.spec` or `NAME.json` names an address at which somebody listens, or was not
 * written by Cleat, or when engines would find another file before `NAME.json`; nothing was changed then.
 */
export async function assertSpecReplaceable(directory: string, name: string, format: Format): Promise<void> {
  await assertUnused(join(directory, `${name}.spec`), "spec");
  await assertUnused(join(directory, `${name}.json`), "json");
  const nested = join(directory, name, `${name}.spec`);
  if (format === "json" && (await readFileIfThere(nested)) !== undefined) {
    const message = `spec file "${nested}" would be found before "${name}.json"; remove it first`;
    throw new CleatError("FAILED_PRECONDITION", message);
  }
}

/**
 * Tells engines where the plugin `name` listens, by a file that is written whole or not at all: `DIRECTORY/NAME.json`
 * with `tls`, whom to trust there; `DIRECTORY/NAME.spec` without. What is left of an earlier process is replaced; the
 * other one of the two files is removed, because engines would take a `.spec` before a `.json`.
 *
 * Source: moby v20.10.24 `pkg/plugins/discovery.go`, `localRegistry.Plugin`.
 */
export async function writeSpecFile(
  directory: string,
  name: string,
  address: string,
  tls: TlsFiles | undefined,
): Promise<SpecFile> {
  const [format, other] = tls === undefined ? (["spec", "json"] as const) : (["json", "spec"] as const);
  const content = tls === undefined ? `${address}\n` : formatJsonSpec(name, address, tls);
  const path = join(directory, `${name}.${format}`);
  await makeFolders(directory, 0o755);
  await writeWholeFile(path, content, 0o644);
  await rm(join(directory, `${name}.${other}`), { force: true });
  return {
    path,
    async remove() {
      if ((await readFileIfThere(path)) === content) await rm(path, { force: true });
    },
  };
}

async function assertUnused(path: string, format: Format): Promise<void> {
  const found = await readFileIfThere(path);
  if (found === undefined || found.trim() === "") return;
  const address = readAddress(path, format, found);
  if ((await probeListener(toConnectOptions(address))) !== "nobody") {
    const message = `spec file "${path}": another process listens at its address ${formatAddress(address)}`;
    throw new CleatError("FAILED_PRECONDITION", message);
  }
}

function readAddress(path: string, format: Format, content: string): Address {
  try {
    return parseSpec(format, Buffer.from(content), `spec file "${path}"`).address;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CleatError("FAILED_PRECONDITION", `${reason}; Cleat did not write it, and left it alone`, {
      cause: error,
    });
  }
}

function toConnectOptions(address: Address) {
  if ("unix" in address) return { path: address.unix };
  return { ...("tcp" in address ? address.tcp : address.https) };
}

import { execFile } from "node:child_process";
import { basename, join } from "node:path";
import { promisify } from "node:util";

/** Debian's `golang-*-dev` packages put their sources here. */
export const debianGo = "/usr/share/gocode";

/**
 * Compiles the Go program whose sources lie in the folder `source` and returns its path in `folder`. `goPath` is where
 * it finds what is not of the standard library. Takes a second or two; the first time, which fills Go's cache, up to a
 * minute.
 */
export async function buildGoProgram(source: string, folder: string, goPath: readonly string[] = []): Promise<string> {
  const program = join(folder, basename(source));
  const env = { ...process.env, GO111MODULE: "off", GOFLAGS: "", GOPATH: goPath.join(":") || folder };
  await promisify(execFile)("go", ["build", "-o", program, "."], { cwd: source, env });
  return program;
}

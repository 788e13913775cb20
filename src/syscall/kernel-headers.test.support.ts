/**
 * What a C compiler makes of the kernel's headers: this machine's, and arm64's where they are unpacked. Not published.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Where `npm run nightly -- --tests --only arm64` unpacks them (`scripts/unpacked/arm64-machine.mjs`). */
const arm64Include = "/var/cache/cleat/arm64/usr/include";

export const headers = {
  own: [],
  arm64: ["-nostdinc", `-I${arm64Include}`, `-I${arm64Include}/aarch64-linux-gnu`],
} as const;

export type Headers = keyof typeof headers;

/** Why they cannot be read here. */
export function headersObstacle(of: Headers): string | undefined {
  if (spawnSync("cc", ["--version"]).error !== undefined) return "no cc in PATH (bring it with: apt-get install gcc)";
  if (of === "own")
    return existsSync("/usr/include/linux/fs.h")
      ? undefined
      : "no linux/fs.h (bring it with: apt-get install linux-libc-dev)";
  return existsSync(arm64Include)
    ? undefined
    : `no ${arm64Include} (bring it with: npm run nightly -- --tests --only arm64)`;
}

/** The value of each constant expression of C; of `offset(STRUCT, FIELD)` too. */
export function readHeaders(of: Headers, includes: readonly string[], expressions: readonly string[]): number[] {
  const values = expressions.map((text) => `print("%lu\\n", (unsigned long)(${text}));`);
  const program = `
    ${includes.map((name) => `#include <${name}>`).join("\n")}
    #define offset(of, field) __builtin_offsetof(struct of, field)
    extern int print(const char *, ...) __asm__("printf");
    int main(void) { ${values.join(" ")} }
  `;
  const output = `/tmp/cleat-headers-${process.pid}-${of}-${includes.join("-").replaceAll("/", "-")}`;
  const script = 'set -e; out="$1"; shift; cc "$@" -x c -o "$out" -; "$out"; rm "$out"';
  const options = { input: program, encoding: "utf8" as const };
  const { stdout, stderr } = spawnSync("sh", ["-c", script, "sh", output, ...headers[of]], options);
  if (stderr !== "") throw new Error(stderr);
  return stdout.trim().split("\n").map(Number);
}

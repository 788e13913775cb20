import { spawnSync } from "node:child_process";
import { scratchBase } from "./scratch.ts";

const mountOne = `
  set -e
  cd "$(mktemp -d ${scratchBase}/cleat-probe-XXXXXX)"
  trap 'cd /; rm -rf "$OLDPWD"' EXIT
  mkdir lower upper work merged
  mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged
  umount merged
`;

/**
 * Mounts an overlay in a mount namespace of its own; returns why that failed, or nothing when it did not. Nobody but
 * root can tell; to be root is a need of its own.
 */
export function overlayObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const { status, stderr } = spawnSync("unshare", ["--mount", "sh", "-c", mountOne], { encoding: "utf8" });
  return status === 0 ? undefined : `an overlay cannot be mounted under ${scratchBase}: ${stderr.trim()}`;
}

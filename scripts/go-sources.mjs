/** The Go of a release that is unpacked in a folder, and the Go sources that tests compile there. It runs on this machine as it is. */
import { spawnSync } from "node:child_process";
import { readdirSync, realpathSync, rmdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";

/** What tests import of containerd 2: its suite for snapshotters, its client of proxy snapshotters, and an original to hold it against. */
export const containerdImports = [
  "github.com/containerd/containerd/api/services/snapshots/v1",
  "github.com/containerd/containerd/v2/core/snapshots/proxy",
  "github.com/containerd/containerd/v2/core/snapshots/testsuite",
  "github.com/containerd/containerd/v2/plugins/snapshots/overlay",
  "google.golang.org/grpc/credentials/insecure",
];

/** The compiler of the release whose root is `folder`: its program, and what it finds in its environment. It is statically linked. */
export function goIn(folder) {
  const goRoot = join(folder, "usr/lib/go");
  return {
    program: join(goRoot, "bin/go"),
    env: {
      GOROOT: goRoot,
      GOPATH: join(folder, "usr/share/gocode"),
      GO111MODULE: "off",
      GOFLAGS: "",
      CGO_ENABLED: "0",
    },
  };
}

/**
 * Deletes the Go sources in `folder` that `imports` do not lead to. What a package of Debian's depends on in all is 2 GB, of which
 * containerd's suite is compiled from 20 MB.
 */
export function keepGoSources(folder, imports) {
  const { program, env } = goIn(folder);
  const { status, stdout, stderr } = spawnSync(program, ["list", "-deps", "-f", "{{.Dir}}", ...imports], {
    env: { ...process.env, ...env },
    encoding: "utf8",
    maxBuffer: 16 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`go list in ${folder} ended with code ${status}: ${stderr}`);
  const kept = new Set(
    stdout
      .trimEnd()
      .split("\n")
      .map((path) => realpathSync(path)),
  );
  removeOthers(realpathSync(join(folder, "usr/share/gocode/src")), kept);
}

/** Links stay: they take no room, and lead to what is kept. */
function removeOthers(path, kept) {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeOthers(join(path, entry.name), kept);
    else if (entry.isFile() && !kept.has(path)) unlinkSync(join(path, entry.name));
  }
  if (readdirSync(path).length === 0) rmdirSync(path);
}

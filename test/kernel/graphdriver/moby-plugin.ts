import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

import type { Need } from "../../needs.ts";

/** Debian's `golang-github-docker-docker-dev`; `stubs` has what that leaves out. */
const debianGo = "/usr/share/gocode";
const source = join(import.meta.dirname, "moby-plugin");

export const mobySource: Need = {
  name: "moby's source",
  bring: "npm run engines",
  get met() {
    return this.reason === "";
  },
  get reason() {
    if (spawnSync("go", ["version"]).error !== undefined) return "no go in PATH";
    const driver = `${debianGo}/src/github.com/docker/docker/daemon/graphdriver/overlay2`;
    return existsSync(driver) ? "" : `no ${driver}`;
  },
};

/** Builds the plugin that serves moby's own drivers; returns its path in `folder`. */
export function buildMobyPlugin(folder: string): string {
  const program = join(folder, "moby-plugin");
  const env = { ...process.env, GO111MODULE: "off", GOPATH: `${join(source, "stubs")}:${debianGo}`, GOFLAGS: "" };
  const { status, stderr } = spawnSync("go", ["build", "-o", program, "main.go"], { cwd: source, env });
  if (status !== 0) throw new Error(`plugin of moby's drivers was not built: ${stderr}`);
  return program;
}

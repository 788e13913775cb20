import { existsSync } from "node:fs";
import type { Need } from "../../needs.ts";
import { debianGo } from "../go-program.ts";

const source = `${debianGo}/src/github.com/containerd/containerd`;

export const containerdSource: Need = {
  name: "containerd's source",
  met: existsSync(`${source}/snapshots/proxy/proxy.go`),
  reason: `"${source}" is not there`,
  bring: "npm run engines",
};

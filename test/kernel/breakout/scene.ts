/** A folder to unpack in, and beside it a victim that no archive may reach. */
import * as fs from "node:fs";

import { archiveOf, type Entry, readTree } from "../../../src/layer/tree/trees.test.support.ts";
import { makeScratch } from "../layer/overlay-mount.support.ts";
import { victim } from "./rows.ts";

/** In no name, so that who finds it in an archive or a copy knows where it came from. */
export const secret = "what nobody outside may read";

export interface Scene {
  readonly path: string;
  readonly root: string;
  readonly victim: string;
  aimed(text: string): string;
  archiveAt(entries: readonly Entry[]): Buffer;
  /** All that must not change: the victim, its names and link counts, what lies beside it, and the host's own /etc. */
  surroundings(): unknown;
  remove(): void;
}

export function makeScene(): Scene {
  const scratch = makeScratch("breakout");
  const [root, target] = [`${scratch.path}/root`, `${scratch.path}/victim`];
  fs.mkdirSync(root);
  fs.mkdirSync(target);
  fs.writeFileSync(`${target}/hello`, secret, { mode: 0o640 });
  fs.symlinkSync("hello", `${target}/link`);
  const aimed = (text: string): string => text.replaceAll(victim, target);
  return {
    path: scratch.path,
    root,
    victim: target,
    aimed,
    archiveAt: (entries) =>
      archiveOf(...entries.map((entry) => ({ ...entry, ...(entry.linkName && { linkName: aimed(entry.linkName) }) }))),
    surroundings() {
      const names = ["victim", "victim/hello", "victim/link", "."].map((name) => {
        const { nlink, ctimeNs, mode } = fs.lstatSync(`${scratch.path}/${name}`, { bigint: true });
        return `${name} ${nlink} ${mode} ${name === "." ? "" : ctimeNs}`;
      });
      const etcNames = fs.readdirSync("/etc").filter((name) => /unbroken|localpasswd|emptied/.test(name));
      return [names, readTree(target), fs.readdirSync(scratch.path), etcNames];
    },
    remove: () => scratch.remove(),
  };
}

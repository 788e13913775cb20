/**
 * Go sources of containerd 1.7, Debian 13's, unpacked into a folder of their own, never installed: its suite for
 * snapshotters is compiled from them at night, by the Go of Debian testing.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { extractPackages, unpackAlone } from "./engine-roots.mjs";
import { containerdSources } from "./go-sources.mjs";
import { cacheFolder, makeFolder } from "./staged-folder.mjs";

/** Holds `usr/share/gocode`. */
export const containerd17Folder = join(cacheFolder, "containerd-1.7");

/** In 1.7 its API is part of it. */
const names = [
  ...containerdSources.filter((name) => name !== "golang-github-containerd-containerd-api-dev"),
  "golang-github-containerd-platforms-dev",
  "golang-github-hashicorp-errwrap-dev",
  "golang-github-hashicorp-go-multierror-dev",
];

export function hasContainerd17() {
  return existsSync(containerd17Folder);
}

/** Fetches and unpacks them, unless they are there. */
export function unpackContainerd17() {
  if (hasContainerd17()) return;
  console.error(`cleat: unpacking ${names.length} packages of Go sources into ${containerd17Folder}`);
  makeFolder(containerd17Folder, (folder) => {
    const more = [`--extract-hook=${unpackAlone(names)}`];
    extractPackages({ suite: "trixie", folder, names: ["base-files"], more });
  });
}

/**
 * The engines of later Debian releases: their packages, unpacked into a folder of their own for each release, never
 * installed. Tests run them in mount namespaces whose root is such a folder (`test/harness/namespaces`).
 */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../prepare.mjs";
import { containerdSources } from "./go-sources.mjs";
import { cacheFolder, diskMb, makeFolder, replaceFolder } from "./staged-folder.mjs";

/** What makes a root; it is installed with the other packages. */
export const rootMaker = "mmdebstrap";

/**
 * Sizes as seen in 2026, on amd64. The releases move, and their sizes with them. `more` is wanted of one release only;
 * `sources` come without what they depend on.
 */
export const suites = {
  trixie: { title: "Debian 13", fetchMb: 168, unpackedMb: 608, more: [], sources: [] },
  forky: {
    title: "Debian testing",
    fetchMb: 249,
    unpackedMb: 1165,
    // Docker's client there builds with buildx only.
    more: ["docker-buildx", "golang-go"],
    sources: containerdSources,
  },
};

/** The engines, what they start, and what the tests run beside them in every root. */
const packages = [
  "attr",
  "base-passwd",
  "bash",
  "btrfs-progs",
  "busybox-static",
  "containerd",
  "coreutils",
  "crun",
  "dash",
  "docker-cli",
  "docker-registry",
  "docker.io",
  "e2fsprogs",
  "findutils",
  "fuse-overlayfs",
  "grep",
  "libcap2-bin",
  "libstdc++6", // Node's, which is not in there
  "mount",
  "netavark",
  "podman",
  "runc",
  "sed",
  "tar",
  "util-linux",
  "xfsprogs",
];

/** Whoever verifies a release needs only Debian's own keys. */
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Where the root of a release is, or will be. */
export function rootFolder(suite) {
  return join(cacheFolder, "roots", suite);
}

/** Whether the root is there and was made of the packages that are wanted of it today. */
export function hasRoot(suite) {
  const stamp = join(rootFolder(suite), stampName);
  return existsSync(stamp) && readFileSync(stamp, "utf8") === stampOf(suite);
}

/** What a root was made of, in the root itself: one package a line. */
const stampName = "cleat-packages";

function stampOf(suite) {
  return `${[...packagesOf(suite), ...suites[suite].sources].join("\n")}\n`;
}

function packagesOf(suite) {
  return [...packages, ...suites[suite].more].toSorted();
}

/** What is going to be fetched and where it goes, as one line for people. */
export function rootPlan(suite) {
  const { title, fetchMb, unpackedMb } = suites[suite];
  const folder = rootFolder(suite);
  const state = existsSync(folder) ? "replacing" : "making";
  const size = `about ${fetchMb} MB to fetch, ${unpackedMb} MB on disk`;
  return `the engines of ${title} (${suite}), ${state} ${folder}: ${size}`;
}

/**
 * Fetches and unpacks a release's engines, unless they are there as they are wanted; 15 to 40 s. A root that was made
 * of other packages is made anew. Says first what, how much and where to, and then what it took. Debian's lists of
 * packages must be fresh.
 */
export function makeRoot(suite) {
  if (hasRoot(suite)) return;
  const folder = rootFolder(suite);
  const archive = debianArchive();
  console.error(`cleat: unpacking ${rootPlan(suite)}; from ${archive}`);
  const startedAt = performance.now();
  const make = existsSync(folder) ? replaceFolder : makeFolder;
  make(folder, (staged) => unpack(suite, archive, staged));
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  console.error(`cleat: ${folder} took ${seconds} s and ${diskMb(folder)} MB`);
}

function unpack(suite, archive, folder) {
  const { sources } = suites[suite];
  const more = sources.length === 0 ? [] : [`--extract-hook=${unpackAlone(sources)}`];
  extractPackages({ suite, archive, folder, names: packagesOf(suite), more });
  // What a script would have made, and programs miss.
  for (const file of ["passwd", "group"])
    copyFileSync(join(folder, `usr/share/base-passwd/${file}.master`), join(folder, "etc", file));
  writeFileSync(join(folder, stampName), stampOf(suite));
}

/**
 * Unpacks packages of a release and what they depend on into a new folder. `extract` runs no package's own scripts, and
 * takes a fifth of an installation's time.
 */
export function extractPackages({ suite, architecture, archive = debianArchive(), folder, names, more = [] }) {
  const options = [
    "--mode=root",
    "--variant=extract",
    `--include=${names.join(",")}`,
    ...(architecture === undefined ? [] : [`--architectures=${architecture}`]),
    // The index of testing is now and then older than it says it is good for.
    '--aptopt=Acquire::Check-Valid-Until "false"',
    '--aptopt=APT::Install-Recommends "false"',
    ...more,
    "--quiet",
  ];
  const source = `deb [signed-by=${keyring}] ${archive} ${suite} main`;
  const status = run(rootMaker, [...options, suite, folder, source], { stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error(`${rootMaker} ${suite} ended with code ${status}`);
  chmodSync(folder, 0o755);
}

/** A shell script that mmdebstrap runs when the packages are unpacked, with the root as its first argument. */
export function unpackAlone(names) {
  return `set -e; mkdir "$1/debs"; cd "$1/debs"
    APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get --quiet=2 --option=APT::Sandbox::User=root download ${names.join(" ")}
    for deb in *.deb; do dpkg-deb --extract "$deb" ..; done
    cd ..; rm -r debs`;
}

/** The archive that this machine's own packages come from, as apt reads its settings. */
function debianArchive() {
  const format = "$(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)";
  const { stdout } = spawnSync("apt-get", ["indextargets", "--format", format, "Created-By: Packages"], {
    encoding: "utf8",
  });
  const [, archive] = /^Debian Debian main (\S+)$/m.exec(stdout ?? "") ?? [];
  if (archive === undefined)
    throw new Error("apt knows no archive of Debian's to fetch engines from: see sources.list(5)");
  return archive;
}

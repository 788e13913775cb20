import type { EngineReport } from "../containerd/diagnosis/engine-findings.ts";
import type { Diagnosis } from "../../selection/index.ts";

const mounted = (name: string, note?: string) =>
  ({ name, state: "yes", how: "mounted", ...(note !== undefined && { note }) }) as const;

/** A usual machine: root, ext4, a current kernel. */
export const usual: Diagnosis = {
  kernel: { release: "6.12.48", architecture: "x64" },
  privileges: {
    uid: 0,
    mayMount: true,
    initialUserNamespace: true,
    uidMap: ["0 0 4294967295"],
    gidMap: ["0 0 4294967295"],
  },
  fuse: {
    device: { path: "/dev/fuse", usable: true, note: null },
    program: { path: "/usr/bin/fuse-overlayfs", version: "1.10" },
  },
  place: "/var/lib/cleat",
  folder: "/var/lib",
  fileSystem: {
    name: "extfs",
    type: "ext4",
    features: [
      {
        name: "project quotas",
        state: "no",
        how: "quotactl(2) Q_XGETQSTAT",
        note: "none switched on (mount option prjquota)",
      },
    ],
  },
  prior: [],
  drivers: [
    {
      name: "overlay2",
      verdict: "chosen",
      reason: null,
      why: "the first that works here",
      features: [
        { name: "d_type", state: "yes", how: "getdents64(2)" },
        mounted("metacopy", "kernel default off"),
        mounted("redirect_dir", "kernel default off"),
        mounted("index", "kernel default off"),
        mounted("userxattr"),
        mounted("volatile"),
        mounted("id-mapped layers"),
        { name: "500 layers", state: "yes", how: "mounted with lowerdir+" },
      ],
    },
    { name: "fuse-overlayfs", verdict: "works", reason: null, why: "overlay2 comes first", features: [] },
    {
      name: "btrfs",
      verdict: "unsupported",
      reason: "incompatible-file-system",
      why: 'backing file system unsupported: btrfs needs a home on btrfs: probed statfs(2) of "/var/lib", saw extfs',
      features: [],
    },
    { name: "zfs", verdict: "not built in", reason: null, why: "a driver that Cleat does not have", features: [] },
    { name: "vfs", verdict: "works", reason: null, why: "overlay2 comes first", features: [] },
  ],
  chosen: "overlay2",
  refusal: null,
};

/** Its engines: a containerd that keeps images on Cleat, and a Docker that does not yet. */
export const usualEngines: readonly EngineReport[] = [
  {
    engine: "containerd",
    what: "2.1.9, running; its file is /etc/containerd/config.toml",
    findings: [
      { subject: "configuration", state: "right", text: "/etc/containerd/config.toml names the snapshotter cleat" },
      { subject: "socket", state: "right", text: "/run/cleat/snapshotter.sock answers" },
      { subject: "plugin", state: "right", text: "the containerd that runs knows the snapshotter" },
    ],
  },
  {
    engine: "Docker",
    what: "28.5.2, running; its file is /etc/docker/daemon.json",
    findings: [
      {
        subject: "daemon.json",
        state: "off",
        text: "keeps layers elsewhere; if it should not: cleat config docker --write",
      },
    ],
  },
];

import type { CommandRow } from "./terminal/command.ts";

/** Every command; one file each, which is loaded when the command is called, or its help asked for. */
export const commands: readonly CommandRow[] = [
  {
    name: "serve graph",
    operands: "",
    summary: "Serve a graph driver: an engine keeps its images and containers on it.",
    load: async () => (await import("./serving/serve-graph.ts")).serveGraph,
  },
  {
    name: "serve snapshotter",
    operands: "",
    summary: "Serve a snapshotter over a graph driver: containerd keeps its images and containers on it.",
    load: async () => (await import("./serving/serve-snapshotter.ts")).serveSnapshotter,
  },
  {
    name: "serve volume",
    operands: "",
    summary: "Serve volumes to Docker and Podman: folders with sizes, NFS, SMB, tmpfs, whatever the kernel mounts.",
    load: async () => (await import("./serving/serve-volume.ts")).serveVolume,
  },
  {
    name: "serve csi",
    operands: "",
    summary: "Serve volumes to Kubernetes and Nomad, through the Container Storage Interface.",
    load: async () => (await import("./serving/serve-csi.ts")).serveCsi,
  },
  {
    name: "serve all",
    operands: "",
    summary:
      "Serve a graph driver, a snapshotter and volumes, as far as this machine's engines can use them; what npm start does.",
    load: async () => (await import("./serving/serve-all.ts")).serveAll,
  },
  {
    name: "snapshots ls",
    operands: "",
    summary: "List the snapshots of containerd: kind, parent, images, what is mounted, orphaned, broken.",
    load: async () => (await import("./containerd/snapshots/commands.ts")).ls,
  },
  {
    name: "snapshots tree",
    operands: "",
    summary: "Show the snapshots of containerd as a tree: what lies on what.",
    load: async () => (await import("./containerd/snapshots/commands.ts")).tree,
  },
  {
    name: "snapshots du",
    operands: "",
    summary: "Print what each snapshot of containerd takes of the disk.",
    load: async () => (await import("./containerd/snapshots/commands.ts")).du,
  },
  {
    name: "snapshots repair",
    operands: "",
    summary: "Remove names of containerd's whose snapshots are gone, so that images can be pulled again.",
    load: async () => (await import("./containerd/snapshots/commands.ts")).repair,
  },
  {
    name: "snapshots gc",
    operands: "",
    summary: "Have containerd collect the snapshots that nothing needs, and wait for it.",
    load: async () => (await import("./containerd/snapshots/commands.ts")).gc,
  },
  {
    name: "import",
    operands: "DOCKER_ROOT",
    summary: "Take the images of Docker's data root into containerd, so that none has to be pulled again.",
    load: async () => (await import("./containerd/import.ts")).importImages,
  },
  {
    name: "units",
    operands: "",
    summary: "Print units of systemd that serve a graph driver or a snapshotter, or write them.",
    load: async () => (await import("./serving/units.ts")).units,
  },
  {
    name: "config containerd",
    operands: "",
    summary: "Print what containerd's configuration needs to keep layers on Cleat, or write it.",
    load: async () => (await import("./containerd/config-containerd.ts")).configContainerd,
  },
  {
    name: "config docker",
    operands: "",
    summary: "Print what Docker's daemon.json needs to keep layers on Cleat, or write it.",
    load: async () => (await import("./containerd/config-docker.ts")).configDocker,
  },
  {
    name: "config podman",
    operands: "",
    summary: "Print what Podman's configuration needs to find volumes of Cleat.",
    load: async () => (await import("./serving/config-podman.ts")).configPodman,
  },
  {
    name: "doctor",
    operands: "",
    summary: "Print which graph driver would be chosen in a folder, why, and why not the others.",
    load: async () => (await import("./stores/doctor.ts")).doctor,
  },
  {
    name: "volumes ls",
    operands: "",
    summary: "List the volumes of a driver, running or not: type, holders, where they are.",
    load: async () => (await import("./volumes/ls.ts")).ls,
  },
  {
    name: "volumes inspect",
    operands: "NAME",
    summary: "Print what is known of a volume: options, status, holders, where its files are.",
    load: async () => (await import("./volumes/inspect.ts")).inspect,
  },
  {
    name: "volumes du",
    operands: "[NAME]",
    summary: "Print what volumes take of the disk, and may take.",
    load: async () => (await import("./volumes/du.ts")).du,
  },
  {
    name: "volumes backup",
    operands: "NAME",
    summary: "Write the files of a volume to stdout or a file, as a tar archive with all that they have.",
    load: async () => (await import("./volumes/backup.ts")).backup,
  },
  {
    name: "volumes restore",
    operands: "NAME",
    summary: "Make a new volume of what backup wrote, all of it or nothing.",
    load: async () => (await import("./volumes/restore.ts")).restore,
  },
  {
    name: "volumes resize",
    operands: "NAME SIZE",
    summary: "Give a volume another size, also while it is mounted.",
    load: async () => (await import("./volumes/resize.ts")).resize,
  },
  {
    name: "volumes rm",
    operands: "NAME",
    summary: "Remove a volume that nobody has mounted.",
    load: async () => (await import("./volumes/rm.ts")).rm,
  },
  {
    name: "layers",
    operands: "[HOME]",
    summary: "Show the layers of a store as a tree: what lies on what, is mounted, is orphaned.",
    load: async () => (await import("./stores/layers.ts")).layers,
  },
  {
    name: "fsck",
    operands: "[HOME]",
    summary: "Find what is wrong with a store: half-made layers, links, mounts, leftovers; repair it when asked.",
    load: async () => (await import("./stores/fsck.ts")).fsck,
  },
  {
    name: "ls",
    operands: "",
    summary: "List the plugins of this machine, what they implement, and whether they are well.",
    load: async () => (await import("./plugins/ls.ts")).ls,
  },
  {
    name: "inspect",
    operands: "NAME",
    summary: "Print what is known of a plugin: where it was found, its manifest, its capabilities and deadlines.",
    load: async () => (await import("./plugins/inspect.ts")).inspect,
  },
  {
    name: "call",
    operands: "NAME METHOD [JSON]",
    summary: "Call one method of a running plugin and print its answer.",
    load: async () => (await import("./plugins/call.ts")).call,
  },
  {
    name: "trace",
    operands: "NAME",
    summary: "Stand between an engine and a plugin, and print each call.",
    load: async () => (await import("./plugins/trace.ts")).trace,
  },
  {
    name: "check",
    operands: "NAME",
    summary: "Check a plugin in any language against its protocols, and against what engines do; results are TAP.",
    load: async () => (await import("./authoring/check.ts")).check,
  },
  {
    name: "new",
    operands: "KIND NAME",
    summary: "Write the first steps of a plugin's project, with a test that runs the kit of checks.",
    load: async () => (await import("./authoring/new.ts")).newProject,
  },
  {
    name: "pack",
    operands: "KIND [FOLDER]",
    summary:
      "Pack a plugin's project for those who install it: a managed plugin of Docker's, or a package of Debian's.",
    load: async () => (await import("./authoring/pack.ts")).pack,
  },
];

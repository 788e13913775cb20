/** What systemd serves: what it is, and who waits for it. */
export interface ServedUnit {
  /**
   * The units' name without an ending. It is no plugin's own: one called "docker" would take the place of the engine's
   * unit.
   */
  readonly unit: string;
  readonly description: string;
  /** The engine's service, and what else starts with it. */
  readonly before: { readonly service: string; readonly socket: string };
  readonly socket: string;
  /** Of the socket's folder, in octal. */
  readonly folderMode: string;
  /** Why a socket that nobody answers does not stay. */
  readonly silence: string;
}

/** A graph driver, as Docker finds the plugin `name`. */
export function graphDriverUnit(name: string): ServedUnit {
  return {
    unit: name === "cleat" ? name : `cleat-${name}`,
    description: `container engine plugin ${name} (Cleat)`,
    before: { service: "docker.service", socket: "docker.socket docker.service" },
    socket: `/run/docker/plugins/${name}.sock`,
    folderMode: "0755",
    silence: "A socket that nobody answers costs engines 15 s each time they list plugins.",
  };
}

/** Volumes, as Docker finds the plugin `name`. Podman starts with nothing. */
export function volumeUnit(name: string): ServedUnit {
  return {
    ...graphDriverUnit(name),
    unit: name === "cleat" ? "cleat-volumes" : `cleat-volumes-${name}`,
    description: `volumes of the driver ${name} (Cleat)`,
  };
}

/** A plugin of somebody's, as engines find one of that name. */
export function pluginUnit(name: string, description: string): ServedUnit {
  return { ...graphDriverUnit(name), unit: name, description };
}

/** A snapshotter, as containerd is told of it. */
export const snapshotterUnit: ServedUnit = {
  unit: "cleat-snapshotter",
  description: "snapshotter for containerd (Cleat)",
  before: { service: "containerd.service", socket: "containerd.service" },
  socket: "/run/cleat/snapshotter.sock",
  folderMode: "0700",
  silence: "containerd waits without end for an answer.",
};

/**
 * The units by which systemd runs `command`, by the names of their files.
 *
 * Source: systemd.service(5), systemd.socket(5), systemd.kill(5), systemd.exec(5), of systemd 252.
 */
export function formatUnits(served: ServedUnit, command: readonly string[]): Readonly<Record<string, string>> {
  const { unit, description, before, socket, folderMode, silence } = served;
  const capitalized = description.slice(0, 1).toUpperCase() + description.slice(1);
  return {
    [`${unit}.service`]: `[Unit]
Description=${capitalized}
# An engine that starts with it finds what it serves.
Before=${before.service}
Requires=${unit}.socket
After=${unit}.socket local-fs.target
# However often it fails, it is started anew: engines wait for it.
StartLimitIntervalSec=0

[Service]
Type=notify
# systemd-notify speaks for it.
NotifyAccess=all
ExecStart=${command.map(quoteWord).join(" ")}
# Mounts, and the processes of fuse-overlayfs that hold some, outlive it: containers run on.
KillMode=process
Restart=always
RestartSec=1
TimeoutStopSec=30
# An archive of many files and many mounts takes more than a shell's 1024; each fuse-overlayfs is a task.
LimitNOFILE=1048576
TasksMax=infinity
OOMScoreAdjust=-500
# Nothing here may give it mounts of its own, where engines would not see what it mounts: no PrivateTmp=,
# ProtectSystem=, ProtectHome=, PrivateDevices=, PrivateMounts=, ReadWritePaths= or the like.

[Install]
WantedBy=multi-user.target
`,
    [`${unit}.socket`]: `[Unit]
Description=Socket of the ${description}
Before=${before.socket}

[Socket]
ListenStream=${socket}
# Who may write to it commands what is served.
SocketMode=0600
DirectoryMode=${folderMode}
# ${silence}
RemoveOnStop=true

[Install]
WantedBy=sockets.target
`,
  };
}

/** A word of ExecStart=: % begins a specifier, $ a variable. Source: systemd.service(5), "Command lines". */
function quoteWord(word: string): string {
  const escaped = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  if (/^[\w@%+=:,./$-]+$/.test(escaped)) return escaped;
  return `"${escaped.replaceAll(/["\\]/g, "\\$&")}"`;
}

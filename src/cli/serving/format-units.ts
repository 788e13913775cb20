/**
 * The units by which systemd runs a plugin, by the names of their files. Those are no plugin's own name: one called "docker"
 * would take the place of the engine's unit.
 *
 * Source: systemd.service(5), systemd.socket(5), systemd.kill(5), systemd.exec(5), of systemd 252.
 */
export function formatUnits(name: string, command: readonly string[]): Readonly<Record<string, string>> {
  const unit = name === "cleat" ? name : `cleat-${name}`;
  return {
    [`${unit}.service`]: `[Unit]
Description=Container engine plugin ${name} (Cleat)
# An engine that starts with it finds its layers.
Before=docker.service
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
# Nothing here may give it mounts of its own, where engines would not see the layers that it mounts: no PrivateTmp=,
# ProtectSystem=, ProtectHome=, PrivateDevices=, PrivateMounts=, ReadWritePaths= or the like.

[Install]
WantedBy=multi-user.target
`,
    [`${unit}.socket`]: `[Unit]
Description=Socket of the container engine plugin ${name} (Cleat)
Before=docker.socket docker.service

[Socket]
ListenStream=/run/docker/plugins/${name}.sock
# Who may write to it commands the plugin.
SocketMode=0600
DirectoryMode=0755
# A socket that nobody answers costs engines 15 s each time they list plugins.
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

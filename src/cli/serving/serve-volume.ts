import { defineCommand } from "../terminal/command.ts";
import { serveDoors } from "./doors/serve-doors.ts";
import { outputOptions } from "./options/serving-options.ts";
import { openVolumeDoor, volumeOptions } from "./doors/volume-door.ts";

export const serveVolume = defineCommand({
  details: [
    "Volumes of Docker and Podman, which outlive engines, this process and the machine's next start. Their options are",
    "those of Docker's own driver, so a compose file needs another driver's name and nothing else:",
    "",
    "  docker volume create -d cleat data                                        a folder",
    "  docker volume create -d cleat -o size=10g data                            that holds no more, on xfs or ext4 " +
      "with prjquota",
    "  docker volume create -d cleat -o from=data -o snapshot=true data-now       another as it is now, read-only",
    "  docker volume create -d cleat -o type=image -o size=10g data              a file that holds no more, on any " +
      "disk",
    "  docker volume create -d cleat -o type=overlay -o device=/srv/data data    a folder of the host, with its " +
      "own changes",
    "  docker volume create -d cleat -o type=bind -o device=/srv/data data       a folder of the host",
    "  docker volume create -d cleat -o type=tmpfs -o size=64m scratch           files in memory",
    "  docker volume create -d cleat -o type=nfs -o device=server:/data data     a share of an NFS server",
    "  docker volume create -d cleat -o type=cifs -o device=//server/data -o username=me -o password=… data",
    "  docker volume create -d cleat -o type=sshfs -o device=me@server:/data -o identity=/root/.ssh/id data   by sshfs",
    "  docker volume create -d cleat -o type=rclone -o device=remote:data -o config=/etc/rclone/conf data    by rclone",
    "      with --rclone-folder /etc/rclone",
    "  docker volume create -d cleat -o type=ext4 -o device=/dev/sdb1 data       whatever the kernel mounts",
    "",
    "With --csi it is a plugin for Kubernetes that makes the volumes: size, from and fstype are its capacity, source",
    "and file system, and any other option one of its parameters, as in a storage class.",
    "",
    "Podman is told of it by its configuration: cleat config podman prints how.",
    "",
    "SIGTERM and SIGINT let running calls finish; a second one does not wait. Mounts stay: containers run on.",
  ],
  options: { ...volumeOptions, ...outputOptions },
  async run(values, _operands, context) {
    await serveDoors(values, context, async (logger) => [await openVolumeDoor(values, context, logger)]);
    return "done";
  },
});

/** Servers of NFS and SMB in the virtual machine, with the folders that they share. They have a root of their own. */
import { execFileSync, spawn } from "node:child_process";
import { appendFileSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

const root = "/servers";
export const password = "p4ss,w0rd";

const ganesha = `
NFS_CORE_PARAM { Protocols = 4; Enable_NLM = false; Enable_RQUOTA = false; }
NFSV4 { Graceless = true; RecoveryBackend = fs; Only_Numeric_Owners = true; }
EXPORT { Export_Id = 1; Path = /srv/nfs; Pseudo = /data; Access_Type = RW; Squash = None; SecType = sys; Protocols = 4;
  Transports = TCP; FSAL { Name = VFS; } }
`;

const samba = `
[global]
server role = standalone server
smb ports = 445
load printers = no
printcap name = /dev/null
disable spoolss = yes
passdb backend = smbpasswd:/etc/samba/passwords
[data]
path = /srv/smb
read only = no
`;

/** Makes the machine a host with a disk (`/dev/vda`) whose folders the servers share. */
export function prepareServers() {
  execFileSync("ifconfig", ["lo", "127.0.0.1", "up"]);
  execFileSync("mount", ["-t", "ext4", "/dev/vda", `${root}/srv`]);
  execFileSync("mount", ["-t", "proc", "proc", `${root}/proc`]);
  execFileSync("mount", ["-t", "devtmpfs", "devtmpfs", `${root}/dev`]);
  for (const folder of [
    "srv/nfs",
    "srv/smb",
    "run/ganesha",
    "run/samba",
    "etc/ganesha",
    "etc/samba",
    "tmp",
    "var/lib/nfs/ganesha",
    "var/lib/samba/private",
    "var/cache/samba",
    "var/log/samba",
  ])
    mkdirSync(`${root}/${folder}`, { recursive: true });
  writeFileSync(`${root}/etc/ganesha/ganesha.conf`, ganesha);
  writeFileSync(`${root}/etc/samba/smb.conf`, samba);
  appendFileSync(`${root}/etc/hosts`, "127.0.0.1 localhost\n");
  const input = `${password}\n${password}\n`;
  execFileSync("chroot", [root, "/usr/bin/smbpasswd", "-s", "-a", "root"], { input });
}

export const servers = {
  nfs: {
    folder: `${root}/srv/nfs`,
    port: 2049,
    command: ["/usr/bin/ganesha.nfsd", "-F", "-L", "/dev/ttyS0", "-p", "/run/ganesha.pid"],
  },
  cifs: {
    folder: `${root}/srv/smb`,
    port: 445,
    command: ["/usr/sbin/smbd", "--foreground", "--no-process-group", "--debug-stdout"],
  },
};

/** Starts a server; resolves, when it takes connections, to what can be done to it with all its processes. */
export async function startServer({ port, command }) {
  const console = openSync("/dev/ttyS0", "w");
  const server = spawn("chroot", [root, ...command], { detached: true, stdio: ["ignore", console, console] });
  const ended = new Promise((resolve) => server.once("exit", resolve));
  while (!(await isListening(port))) {
    if (server.exitCode !== null) throw new Error(`${command[0]} ended with code ${server.exitCode}`);
    await delay(100);
  }
  const send = (signal) => process.kill(-server.pid, signal);
  return {
    async kill() {
      send("SIGKILL");
      await ended;
    },
    /** It answers nothing, as one whose host is gone. */
    freeze: () => send("SIGSTOP"),
    thaw: () => send("SIGCONT"),
  };
}

function isListening(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket
      .once("error", () => resolve(false))
      .once("connect", () => {
        socket.destroy();
        resolve(true);
      });
  });
}

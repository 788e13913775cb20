/**
 * Servers on loopback whose files volumes of `sshfs` and `rclone` show. What they need in `/etc` and `/run` they put
 * over the files of the mount namespace that they are set up in, so that has to be one of their own.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";

const run = (program, ...args) => execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

/** Puts the programs of a root over those of this mount namespace. */
export function addPrograms(root) {
  run("mount", "-t", "overlay", "-o", `lowerdir=/usr:${root}/usr`, "none", "/usr");
}

/**
 * What starts an SSH server, which root enters by `password` or by the key `user` in `keys`, a folder that is made; and
 * the options of a volume that it serves.
 */
export async function setUpSshServer({ keys, served, password }) {
  const port = await freePort();
  await mkdir(keys);
  await chmod(keys, 0o700);
  for (const name of ["host", "user", "stranger"])
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", `${keys}/${name}`);
  const hidden = {
    passwd: `${readFileSync("/etc/passwd", "utf8").trim()}\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n`,
    shadow: `root:${run("openssl", "passwd", "-6", password).trim()}:19000:0:99999:7:::\n`,
  };
  for (const [name, text] of Object.entries(hidden)) {
    await writeFile(`${keys}/${name}`, text);
    run("mount", "--bind", `${keys}/${name}`, `/etc/${name}`);
  }
  await mkdir("/run/sshd", { recursive: true });
  const settings = {
    Port: port,
    ListenAddress: "127.0.0.1",
    HostKey: `${keys}/host`,
    AuthorizedKeysFile: `${keys}/user.pub`,
    PasswordAuthentication: "yes",
    PermitRootLogin: "yes",
    StrictModes: "no",
    UsePAM: "no",
    PidFile: "none",
    Subsystem: "sftp internal-sftp",
  };
  const lines = Object.entries(settings).map((pair) => `${pair.join(" ")}\n`);
  await writeFile(`${keys}/sshd_config`, lines.join(""));
  const keyOf = (name) => readFileSync(`${keys}/${name}.pub`, "utf8").split(" ").slice(0, 2).join(" ").trim();
  const device = `root@127.0.0.1:${served}`;
  return {
    program: "/usr/sbin/sshd",
    args: ["-D", "-f", `${keys}/sshd_config`],
    port,
    keyOf,
    options: { device, port: String(port), password, host_key: keyOf("host") },
  };
}

/** The same of WebDAV, which the user `me` enters by `password`, which lies in `accounts`, a file that is made. */
export async function setUpWebdavServer({ accounts, served, password }) {
  const port = await freePort();
  await writeFile(accounts, `me:${run("openssl", "passwd", "-apr1", password)}`);
  const account = { "webdav-url": `http://127.0.0.1:${port}`, "webdav-user": "me", "webdav-pass": password };
  return {
    program: "rclone",
    args: ["serve", "webdav", served, `--addr=127.0.0.1:${port}`, `--htpasswd=${accounts}`, "--config="],
    port,
    options: { device: "/", backend: "webdav", o: "dir-cache-time=1s", ...account },
  };
}

/** One that nobody has now. */
export async function freePort() {
  const listener = createServer();
  await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

export function isListening(port) {
  return run("ss", "-Hltn", `sport = :${port}`) !== "";
}

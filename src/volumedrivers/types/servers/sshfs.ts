import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { careForFuse, type FuseProgramOf, mountFuse, unmountFuse } from "../../fuse/supervision.ts";
import type { ManagedVolume, VolumeBackend } from "../../managed/volume-backend.ts";
import { mountListOption } from "../../options/mount-list.ts";
import type { OptionsOf } from "../../options/option-table.ts";
import { secretOption, textOption } from "../../options/option-types.ts";
import { usageWhileMounted } from "../kernel/usage-while-mounted.ts";

/** Of the host; sshfs and ssh take commas, blanks and backslashes for ends of options. */
const filePath = () =>
  z.string().regex(/^\/[^\s,\\"'\0]*$/, { error: "takes an absolute path without blanks and commas" });

const options = {
  device: textOption(),
  o: mountListOption().default([]),
  port: z
    .string()
    .regex(/^\d{1,5}$/, { error: "takes a number" })
    .optional(),
  password: secretOption().optional(),
  identity: filePath().optional(),
  known_hosts: filePath().optional(),
  host_key: z
    .string()
    .regex(/^[\w@.-]+ [A-Za-z0-9+/=]+$/, { error: 'takes "ssh-ed25519 AAAA…", as ssh-keyscan prints it' })
    .optional(),
};

type Volume = ManagedVolume<OptionsOf<typeof options>>;

/** Those that say how files are shown, and none that names a program or a file. Source: sshfs(1) 3.7.3. */
const allowed = [
  /^(?:ro|rw|no(?:suid|dev|exec|atime)|follow_symlinks|uid=\d+|gid=\d+|umask=[0-7]+)$/,
  /^(?:idmap=(?:none|user)|(?:compression|dir_cache)=(?:yes|no))$/,
];

/**
 * A folder of a machine that has an SSH server: `device` is "user@server:/path". By sshfs, which connects
 * anew by itself when the connection breaks. The server's key has to be known: to ssh of root, in the file
 * `known_hosts`, or by `host_key`.
 */
export const sshfs: VolumeBackend<typeof options> = {
  options,
  check({ device, o, password, identity, known_hosts: file, host_key: key }) {
    const parts = splitDevice(device);
    if (parts === undefined) return '"device" takes "user@server:/path"';
    const wrong = o.find((option) => !allowed.some((pattern) => pattern.test(option)));
    if (wrong !== undefined)
      return '"o" takes ro, noexec, uid=, gid=, umask=, idmap=, compression=, dir_cache= and the like';
    if (password !== undefined && identity !== undefined) return '"password" and "identity" are two ways; give one';
    if (file !== undefined && key !== undefined) return '"known_hosts" and "host_key" say the same; give one';
    return undefined;
  },
  mount: (volume, call) => mountFuse(volume, programOf(volume), call),
  unmount: (volume, call) => unmountFuse(volume, programOf(volume), call),
  care: (volume, care) => careForFuse(volume, programOf(volume), care),
  usage: usageWhileMounted,
};

function programOf({ folder, target, options: given }: Volume): FuseProgramOf {
  const { device, o, port, password, identity, known_hosts: knownHosts, host_key: hostKey } = given;
  return async () => {
    const file = hostKey === undefined ? knownHosts : join(folder, "known_hosts");
    if (hostKey !== undefined && file !== undefined) {
      const { server = "" } = splitDevice(device) ?? {};
      await writeFile(file, `${port === undefined ? server : `[${server}]:${port}`} ${hostKey}\n`);
    }
    const own = [
      "allow_other",
      "default_permissions",
      "reconnect",
      "ServerAliveInterval=15",
      "ConnectTimeout=20",
      "StrictHostKeyChecking=yes",
      ...(port === undefined ? [] : [`port=${port}`]),
      ...(file === undefined ? [] : [`UserKnownHostsFile=${file}`]),
      ...(identity === undefined ? [] : [`IdentityFile=${identity}`, "IdentitiesOnly=yes"]),
      // Nobody is asked anything: a password is read from standard input, where no other process sees it.
      ...(password === undefined ? ["BatchMode=yes"] : ["password_stdin", "NumberOfPasswordPrompts=1"]),
    ];
    return {
      program: "sshfs",
      args: ["-f", device, target, "-o", [...own, ...o].join(",")],
      input: password === undefined ? undefined : `${password}\n`,
    };
  };
}

/** What begins with a dash would be an option of ssh's. */
function splitDevice(device: string): { readonly server: string } | undefined {
  const [, plain, bracketed] = /^(?:[\w.][\w.-]*@)?(?:([\w.][\w.-]*)|\[([\da-fA-F:.]+)\]):/.exec(device) ?? [];
  const server = plain ?? bracketed;
  return server === undefined ? undefined : { server };
}

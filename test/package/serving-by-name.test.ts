import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const project = join(import.meta.dirname, "../..");
let folder: string;
const children: ChildProcess[] = [];

beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "cleat-by-name-"))));
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

/** A plugin in a process of its own; `more` comes before it listens. */
const program = (listen: string, more = "") => `
  import { serve } from "cleat/plugin";
  const service = { protocol: { name: "Test", methods: {} }, implementation: {} };
  ${more}
  const { address } = await serve({ drivers: [{ service }], listen: ${listen} });
  console.log(address);
`;

interface Started {
  readonly child: ChildProcess;
  /** What it says first: where it listens. */
  readonly address: string;
  readonly ended: Promise<unknown[]>;
}

async function start(code: string, env: NodeJS.ProcessEnv = {}, fds: number[] = []): Promise<Started> {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: project,
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "inherit", ...fds],
  });
  children.push(child);
  const ended = once(child, "exit");
  const [said] = (await Promise.race([once(child.stdout as NodeJS.ReadableStream, "data"), ended])) as unknown[];
  return { child, address: String(said).trim(), ended };
}

/** Of an ordinary user, as whom nobody has to run this test: root in RootlessKit is one. */
const rootless = () => ({ XDG_RUNTIME_DIR: folder, ROOTLESSKIT_STATE_DIR: folder });

describe("a plugin's name", () => {
  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "is where engines look for it, and %s leaves nothing there",
    async (signal) => {
      const path = join(folder, "docker/plugins/mine.sock");
      const { child, address, ended } = await start(program('"mine"'), rootless());
      expect(address).toBe(`unix://${path}`);
      expect(existsSync(path)).toBe(true);
      child.kill(signal);
      expect(await ended).toEqual([null, signal]); // as it would have ended without
      expect(existsSync(path)).toBe(false);
    },
  );

  test("does not keep a program from what it does on a signal itself", async () => {
    const own = 'process.on("SIGTERM", () => setTimeout(() => process.exit(7), 100));';
    const { child, ended } = await start(program('"mine"', own), rootless());
    child.kill("SIGTERM");
    expect(await ended).toEqual([7, null]);
    expect(existsSync(join(folder, "docker/plugins/mine.sock"))).toBe(false);
  });

  test("two plugins of a process are both closed", async () => {
    const both = program('"first"', 'await serve({ drivers: [{ service }], listen: "second" });');
    const { child, ended } = await start(both, rootless());
    expect(existsSync(join(folder, "docker/plugins/second.sock"))).toBe(true);
    child.kill("SIGTERM");
    expect(await ended).toEqual([null, "SIGTERM"]);
    for (const name of ["first", "second"]) expect(existsSync(join(folder, `docker/plugins/${name}.sock`))).toBe(false);
  });
});

test("metrics of a process go with its plugin on a signal, and leave nothing", async () => {
  const path = join(folder, "metrics.sock");
  const more = `import { serveMetrics } from "cleat/plugin"; await serveMetrics({ listen: { unix: "${path}" } });`;
  const { child, ended } = await start(program('"mine"', more), rootless());
  expect(existsSync(path)).toBe(true);
  child.kill("SIGTERM");
  expect(await ended).toEqual([null, "SIGTERM"]);
  expect(existsSync(path)).toBe(false);
});

describe("sockets of systemd", () => {
  const passed = "process.env.LISTEN_PID = String(process.pid);"; // systemd sets it between fork and exec

  async function listenerAt(path: string) {
    const listener = createServer().listen(path);
    await once(listener, "listening");
    return { listener, fd: (Reflect.get(listener, "_handle") as { fd: number }).fd };
  }

  test("are found by name, and stay when the plugin ends", async () => {
    const [one, two] = [await listenerAt(join(folder, "1.sock")), await listenerAt(join(folder, "2.sock"))];
    try {
      const env = { LISTEN_FDS: "2", LISTEN_FDNAMES: "other:mine.socket" };
      const code = program('{ systemd: "mine.socket" }', passed);
      const { child, address, ended } = await start(code, env, [one.fd, two.fd]);
      expect(address).toBe(`unix://${join(folder, "2.sock")}`);
      const client = connect(join(folder, "2.sock"));
      await once(client, "connect");
      client.destroy();
      child.kill("SIGTERM");
      await ended;
      expect(existsSync(join(folder, "2.sock"))).toBe(true);
    } finally {
      one.listener.close();
      two.listener.close();
    }
  });

  test.each([
    ["none", {}, /no socket was passed to this process/],
    [
      "two without a name",
      { LISTEN_FDS: "2", LISTEN_FDNAMES: "a:b" },
      /sockets "a", "b" .*: one of them has to be named/,
    ],
    ["one that is none", { LISTEN_FDS: "1" }, /descriptor 3 is not a listening socket/],
  ])("%s is an error that says so", async (_what, env, message) => {
    const failing = program("{ systemd: true }", passed).replace("const { address } =", "const address =");
    const code = failing.replace(
      "systemd: true } });",
      "systemd: true } }).catch((error) => error.code + error.message);",
    );
    const { address } = await start(code, env);
    expect(address).toMatch(/^FAILED_PRECONDITION/);
    expect(address).toMatch(message);
  });
});

/** The real one is systemd's; this one tells the test what it is told, and whether anybody could call then. */
test("a service manager is told when engines can call, and when the plugin closes", async () => {
  const [told, path] = [join(folder, "told"), join(folder, "docker/plugins/mine.sock")];
  const notify = join(folder, "systemd-notify");
  execFileSync("mkfifo", [told]); // whoever writes waits for a reader
  await writeFile(notify, `#!/bin/sh\n[ -S ${path} ] && there=there || there=gone\necho "$1 $there" > ${told}\n`);
  await chmod(notify, 0o755);
  const PATH = `${folder}:${process.env["PATH"]}`;
  const { child, ended } = await start(program('"mine"'), { ...rootless(), PATH, NOTIFY_SOCKET: "@abstract" });
  expect(await readFile(told, "utf8")).toBe("READY=1 there\n");
  child.kill("SIGTERM");
  expect(await readFile(told, "utf8")).toMatch(/^STOPPING=1 /);
  expect(await ended).toEqual([null, "SIGTERM"]);
});

test("a service manager that cannot be told keeps nobody from serving", async () => {
  const env = { ...rootless(), PATH: folder, NOTIFY_SOCKET: "/nowhere" };
  const { child, address, ended } = await start(program('"mine"'), env);
  expect(address).toMatch(/mine\.sock$/);
  child.kill("SIGTERM");
  expect(await ended).toEqual([null, "SIGTERM"]);
});

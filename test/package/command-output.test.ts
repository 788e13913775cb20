/** What the built command prints arrives whole, wherever it goes. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { watch } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Agent, createServer, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const pipeBytes = 64 * 1024;
const main = join(import.meta.dirname, "../../dist/cli/main.js");
const run = promisify(execFile);

const answers: Record<string, string | Buffer> = {
  "/Plugin.Activate": JSON.stringify({ Implements: ["GraphDriver", "VolumeDriver"] }),
  "/VolumeDriver.List": JSON.stringify({
    Volumes: Array.from({ length: 3_000 }, (_, index) => ({ Name: `volume-${index}`, Mountpoint: "" })),
  }),
  "/GraphDriver.Diff": Buffer.alloc(1 << 20, "tar"),
};
const plugin = createServer((asked, response) => {
  const answer = answers[asked.url?.split("?")[0] ?? ""];
  asked.resume().once("end", () => {
    response.statusCode = answer === undefined ? 404 : 200;
    response.end(answer);
  });
});

let folder: string;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-"));
  // With this variable root is an ordinary user to the command, who has folders of plugins of their own.
  env = { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder, XDG_CONFIG_HOME: folder, ROOTLESSKIT_STATE_DIR: "x" };
  await mkdir(join(folder, "docker/plugins"), { recursive: true });
  for (let index = 0; index < 900; index++) {
    await writeFile(join(folder, `docker/plugins/unfinished-${index}.spec`), "tcp://");
    await mkdir(join(folder, `store/vfs/dir/${String(index).padStart(64, "0")}`), { recursive: true });
    await mkdir(join(folder, `store/vfs/dir/not a layer ${"x".repeat(100)} ${index}`), { recursive: true });
  }
  await once(plugin.listen(join(folder, "docker/plugins/large.sock")), "listening");
});
afterAll(async () => {
  plugin.closeAllConnections();
  plugin.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs `cleat …` with `redirection` behind it; resolves with the command's own exit code. */
async function shell(redirection: string, argv: readonly string[], before = "") {
  const script = `${before} "$@" ${redirection}; exit \${PIPESTATUS[0]}`;
  const running = run("bash", ["-c", script, "cleat", process.execPath, main, ...argv], {
    env: { ...env, OUT: join(folder, "out"), ERR: join(folder, "err") },
    encoding: "buffer",
    maxBuffer: 1 << 24,
  });
  running.child.stdin?.end();
  const ended = await running.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: Buffer; stderr: Buffer }) => error,
  );
  return { code: ended.code, out: ended.stdout, err: String(ended.stderr) };
}

const commands: readonly (readonly [string, readonly string[], "stdout" | "stderr"])[] = [
  ["layers", ["layers", "store", "--no-trunc"], "stdout"],
  ["layers as JSON", ["layers", "store", "--json"], "stdout"],
  ["fsck", ["fsck", "store"], "stdout"],
  ["fsck as JSON", ["fsck", "store", "--json"], "stdout"],
  ["ls", ["ls", "--timeout", "60", "--subsystem", "GraphDriver"], "stderr"],
  ["call", ["call", "large", "VolumeDriver.List"], "stdout"],
  ["call of a stream", ["call", "large", "GraphDriver.Diff", '{"ID":"x"}'], "stdout"],
];

/** What of `words` is made by the test stands in its folder. */
const inFolder = (words: readonly string[]) => words.map((word) => (word === "store" ? join(folder, word) : word));

/** It is the reader that is slow, not the test that waits for anything. */
const slowReader = "(sleep 0.2; cat)";

describe.each(commands)("%s", (_name, words, stream) => {
  it("arrives whole in a file and at a slow reader of a pipe, and ends quietly when its reader leaves", async () => {
    const [piped, cut] =
      stream === "stdout"
        ? [`2>/dev/null | ${slowReader}`, '2>"$ERR.cut" | head -c 10']
        : [`2>&1 >/dev/null | ${slowReader}`, '2>&1 >"$ERR.cut" | head -c 10'];
    const whole = await shell('>"$OUT" 2>"$ERR"', inFolder(words));
    const expected = await readFile(join(folder, stream === "stdout" ? "out" : "err"));
    expect(expected.byteLength).toBeGreaterThan(pipeBytes);
    const slow = await shell(piped, inFolder(words));
    expect(slow.out.equals(expected)).toBe(true);
    const broken = await shell(cut, inFolder(words));
    expect([slow.code, broken.code]).toEqual([whole.code, whole.code]);
    expect(broken.out).toEqual(expected.subarray(0, 10));
    if (stream === "stdout") expect(await readFile(join(folder, "err.cut"), "utf8")).toBe("");
  });
});

const full = "cleat: stdout: ENOSPC: no space left on device, write\n";

it.each([["--version"], ["ls --help"], ["doctor --json"], ["fsck store"], ['call large GraphDriver.Diff {"ID":"x"}']])(
  "%s fails in one sentence on a full disk",
  async (line) => {
    const { code, err } = await shell(">/dev/full", inFolder(line.split(" ")));
    expect({ code, err }).toEqual({ code: 1, err: full });
  },
);

it.each([["layers store --json"], ['call large GraphDriver.Diff {"ID":"x"}']])(
  "%s fails in one sentence on a disk that becomes full in the middle",
  async (line) => {
    const { code, err } = await shell('>"$OUT"', inFolder(line.split(" ")), "ulimit -f 8;");
    expect({ code, err }).toEqual({ code: 1, err: "cleat: stdout: EFBIG: file too large, write\n" });
  },
);

it("ends with the code of a failure that nobody can be told of", async () => {
  expect(await shell("2>/dev/full", ["ls", "--bogus"])).toMatchObject({ code: 2 });
  expect(await shell("2>&1 | true", ["ls", "--bogus"])).toMatchObject({ code: 2 });
});

it("refuses a path that is not text, which would be another path", async () => {
  const { code, err } = await shell('"$(printf "/tmp/\\377")"', ["units", "--write"]);
  expect({ code, err }).toEqual({
    code: 2,
    err: 'cleat: "/tmp/\ufffd" is not text in UTF-8\nSee "cleat units --help".\n',
  });
});

it("trace prints every call to a reader who is busy until it ends", async () => {
  const socket = join(folder, "traced.sock");
  const child = spawn(process.execPath, [main, "trace", "large", "--socket", socket, "--json"], { env });
  const ended = once(child, "close");
  let printed = String(await once(child.stdout, "data"));
  child.stdout.pause();
  const agent = new Agent({ keepAlive: true });
  for (let calls = 0; calls < 1_000; calls++) await list(socket, agent);
  agent.destroy();
  child.kill("SIGTERM");
  await once(watch(folder), "change"); // the socket is gone: what is left to do is to print
  child.stdout.on("data", (bytes) => (printed += String(bytes)));
  child.stdout.resume();
  expect(await ended).toEqual([0, null]);
  expect(printed.trimEnd().split("\n")).toHaveLength(1 + 1_000);
});

async function list(socketPath: string, agent: Agent): Promise<void> {
  const path = `/VolumeDriver.Get?${"q".repeat(400)}`;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ socketPath, path, agent, method: "POST" }, resolve).once("error", reject).end();
  });
  await text(response);
}

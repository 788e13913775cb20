import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { cleat, folder } from "../run.test.support.ts";

vi.mock("./config/find-containerd.ts", async (original) => ({
  ...(await original<typeof import("./config/find-containerd.ts")>()),
  findContainerd: async () => {
    if (found.containerd instanceof Error) throw found.containerd;
    return found.containerd;
  },
}));
vi.mock("./docker/find-docker.ts", async (original) => ({
  ...(await original<typeof import("./docker/find-docker.ts")>()),
  findDocker: async () => found.docker,
  startsOwnContainerd: async () => found.startsOwn,
}));
/** What is on this machine. */
const { found } = vi.hoisted(() => ({
  found: { containerd: undefined as object | undefined, docker: undefined as object | undefined, startsOwn: false },
}));

let config: string;
beforeEach(() => {
  found.containerd = found.docker = undefined;
  found.startsOwn = false;
  config = join(folder, "config.toml");
});

const containerd = (...options: string[]) => cleat(["config", "containerd", "--config", config, ...options]);
const for219 = ["--containerd", "2.1.9"];

/** A containerd that prints what it is told to. */
function program(script: string): string {
  const path = join(folder, "containerd");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe("config containerd", () => {
  it("prints, and changes nothing", async () => {
    const { code, out, err } = await containerd(...for219, "--socket", "/s.sock", "--root", "/r");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^version = 3\n/m);
    expect(out).toContain('address = "/s.sock"\n');
    expect(out).toContain('root = "/r"\n');
    expect(readdirSync(folder)).toEqual([]);
  });

  it("interrupted while containerd looks at it, leaves the file as it was, and nothing beside it", async () => {
    writeFileSync(config, "version = 2\n");
    found.containerd = {
      version: { major: 2, minor: 1, patch: 9 },
      configPath: config,
      program: program("kill -USR2 $PPID; sleep 0.2"),
    };
    const survive = () => {};
    process.on("SIGUSR2", survive);
    try {
      const { code, err } = await cleat(["config", "containerd", "--write"]);
      expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining("it was interrupted") });
    } finally {
      process.off("SIGUSR2", survive);
    }
    expect(readFileSync(config, "utf8")).toBe("version = 2\n");
    expect(readdirSync(folder).toSorted()).toEqual(["config.toml", "containerd"]);
  });

  it("writes a file that is there, writes it anew, and makes it again what it was", async () => {
    const text = "# ours\nversion = 2";
    writeFileSync(config, text, { mode: 0o640 });
    expect((await containerd(...for219, "--write", "--cri")).out).toBe(
      `${config} is written; as it was it is in ${config}.before-cleat\n` +
        "restart containerd to have it read the file: systemctl restart containerd\n",
    );
    expect(readFileSync(`${config}.before-cleat`, "utf8")).toBe(text);
    expect(readFileSync(config, "utf8")).toMatch(/^# ours\nversion = 2\n# >>> /);
    expect((await containerd(...for219, "--write", "--cri")).out).toBe(`${config} has all of it\n`);
    await containerd(...for219, "--write");
    expect(readFileSync(config, "utf8")).not.toContain("cri");
    await containerd("--remove");
    expect(readFileSync(config, "utf8")).toBe(text);
    expect((await containerd("--remove")).out).toContain("has nothing that cleat config containerd --write wrote\n");
  });

  it("prints no more than what a file lacks, so that it can be appended twice", async () => {
    writeFileSync(config, "version = 3\n");
    const { out } = await containerd(...for219);
    writeFileSync(config, `version = 3\n${out}`);
    expect(await containerd(...for219)).toEqual({ code: 0, out: "", err: `cleat: ${config} has all of it\n` });
    await containerd("--remove");
    expect(readFileSync(config, "utf8")).toBe("version = 3\n");
  });

  it("says when it is removed what else names it, since only its owner can take that back", async () => {
    const own = 'version = 3\n[plugins."io.containerd.cri.v1.images"]\nsnapshotter = "cleat"\n';
    writeFileSync(config, own);
    await containerd(...for219, "--write", "--cri");
    const { code, err } = await containerd("--remove");
    expect({ code, text: readFileSync(config, "utf8") }).toEqual({ code: 0, text: own });
    const table = '[plugins."io.containerd.cri.v1.images"]';
    expect(err).toBe(`cleat: ${config} still names Cleat in ${table}: write there what was there before\n`);
  });

  it("takes the block out of a file that is no TOML any more, and that is all there is to say", async () => {
    await containerd(...for219, "--write");
    writeFileSync(config, `version = \n${readFileSync(config, "utf8")}`);
    const { code, out, err } = await containerd("--remove");
    expect({ code, err, left: readFileSync(config, "utf8") }).toEqual({ code: 0, err: "", left: "version = \n" });
    expect(out).toContain(`${config} is as it would be without Cleat\n`);
    const nothing = `${config} has nothing that cleat config containerd --write wrote\n`;
    expect(await containerd("--remove")).toEqual({ code: 0, out: nothing, err: "" });
    const { err: refused } = await containerd(...for219, "--write");
    expect(refused).toBe(`cleat: ${config} is not TOML: line 1: invalid value\n`);
  });

  it.each(["", "# ours", "# ours\n\n"])("gives %j, which has no settings, a version", async (text) => {
    writeFileSync(config, text);
    expect(await containerd(...for219, "--write", "--transfer")).toMatchObject({ code: 0, err: "" });
    expect(readFileSync(config, "utf8")).toMatch(/^version = 3$/m);
    await containerd("--remove");
    expect(readFileSync(config, "utf8")).toBe(text);
  });

  it("removes a file that it made, when nothing else is in it", async () => {
    await containerd(...for219, "--write");
    await containerd("--remove");
    expect(existsSync(config)).toBe(false);
  });

  it("refuses to write beside a table of the same name, and changes nothing", async () => {
    const text = 'version = 3\r\n[proxy_plugins.cleat]\r\ntype = "snapshot"\naddress = "/other"\n';
    writeFileSync(config, text);
    const { code, err } = await containerd(...for219, "--write");
    expect(code).toBe(1);
    expect(err).toContain(
      `line 2, has a table [proxy_plugins.cleat] already: write address = "/run/cleat/snapshotter.sock" instead of ` +
        `"/other"`,
    );
    expect(readdirSync(folder)).toEqual(["config.toml"]);
    expect(readFileSync(config, "utf8")).toBe(text);
    expect((await containerd(...for219)).err).toBe(err);
  });

  describe("asks the containerd that is there", () => {
    const version = { major: 1, minor: 7, patch: 24 };
    const installed = (script: string) =>
      (found.containerd = { version, program: program(script), configPath: config, isRunning: true });

    it("for its version, and whether what is written arrives", async () => {
      installed('cat "$2"');
      const { code, out } = await cleat(["config", "containerd", "--write"]);
      expect({ code, out }).toMatchObject({
        code: 0,
        out: expect.stringContaining(`${config} is written\n`) as string,
      });
      expect(readFileSync(config, "utf8")).toContain("version = 2\n");
    });

    it("and leaves the file when it does not read it", async () => {
      installed('echo "time=now level=error file=$2" >&2; echo "containerd: no good: $2" >&2; exit 1');
      writeFileSync(config, "version = 2\n");
      const { code, err } = await cleat(["config", "containerd", "--write"]);
      expect({ code, err }).toEqual({
        code: 1,
        err: `cleat: containerd does not read ${config}: no good: ${config}\n`,
      });
      expect(readFileSync(config, "utf8")).toBe("version = 2\n");
      expect(readdirSync(folder).toSorted()).toEqual(["config.toml", "containerd"]);
    });

    it.each([
      ["exit 3", "it ends with 3, and says nothing"],
      ["kill -9 $$", "it is ended by SIGKILL"],
      ["head -c 5000000 /dev/zero", "it says more than 4194304 bytes"],
    ])("and says in words why it has no answer: %s", async (script, why) => {
      installed(script);
      const { err } = await cleat(["config", "containerd", "--write"]);
      expect(err).toBe(`cleat: containerd does not read ${config}: ${why}\n`);
    });

    it("and asks none for its release where the block is taken out of a file that is named", async () => {
      found.containerd = new Error("it is too old");
      expect(await containerd("--remove")).toMatchObject({ code: 0 });
    });

    it("and leaves the file when an import takes a table away", async () => {
      installed('sed /plugins.cleat.exports/,/^$/d "$2"');
      const { err } = await cleat(["config", "containerd", "--write"]);
      expect(err).toContain(
        `containerd does not see [proxy_plugins.cleat.exports] of ${config}: another file that it imports replaces ` +
          `it\n`,
      );
      expect(readdirSync(folder)).toEqual(["containerd"]);
    });

    it("and says where a plugin is left out that it is", async () => {
      const own = 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n';
      installed(String.raw`sed '/^\[plugins.*cri/,/^#/d' "$2"`);
      writeFileSync(config, own);
      const { err } = await cleat(["config", "containerd", "--write", "--cri"]);
      expect(err).toBe(
        `cleat: containerd does not see [plugins."io.containerd.grpc.v1.cri".containerd] of ${config}: ` +
          "disabled_plugins names that plugin; take it out there, and run this again\n",
      );
      expect(readFileSync(config, "utf8")).toBe(own);
    });

    it("and takes a list that its owner has written for what its owner wants", async () => {
      installed('cat "$2"');
      const own = 'version = 2\n[[plugins."io.containerd.transfer.v1.local".unpack_config]]\nsnapshotter = "native"\n';
      writeFileSync(config, own);
      const { code, err } = await cleat(["config", "containerd", "--write", "--transfer"]);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(readFileSync(config, "utf8").match(/^snapshotter = .*$/gm)).toEqual([
        'snapshotter = "native"',
        'snapshotter = "cleat"',
      ]);
    });

    it("but does not write what dockerd writes", async () => {
      installed("true");
      const { err } = await cleat([
        "config",
        "containerd",
        "--write",
        "--config",
        "/run/docker/containerd/containerd.toml",
      ]);
      expect(err).toContain("is written by dockerd at each start");
    });
  });

  it("says so where there is none, or an option makes no sense", async () => {
    expect(await containerd()).toMatchObject({
      code: 1,
      err: expect.stringContaining("no containerd on this machine") as string,
    });
    expect(await containerd("--containerd", "soon")).toMatchObject({ code: 2 });
    expect(await containerd("--containerd", "1.6.20", "--diff")).toMatchObject({ code: 2 });
    expect(await containerd("--write", "--remove")).toMatchObject({ code: 2 });
    expect(await containerd(...for219, "--socket", "unix:///x")).toMatchObject({ code: 2 });
    expect(await containerd(...for219, "--cri-runtime", "")).toMatchObject({ code: 2 });
  });
});

describe("config docker", () => {
  let daemonJson: string;
  beforeEach(() => {
    daemonJson = join(folder, "daemon.json");
  });
  const docker = (...options: string[]) => cleat(["config", "docker", "--config", daemonJson, ...options]);

  it("writes, keeps a copy, and puts back what was there", async () => {
    const text = '{"storage-driver": "overlay2"}';
    writeFileSync(daemonJson, text);
    const { out, err } = await docker("--docker", "28.5.2", "--write");
    expect(out).toContain(`${daemonJson} is written; as it was it is in ${daemonJson}.before-cleat\n`);
    expect(err).toBe(
      "cleat: images and containers that Docker has now are hidden, not lost: they are there again after --remove\n",
    );
    expect(JSON.parse(readFileSync(daemonJson, "utf8"))).toEqual({
      "storage-driver": "cleat",
      features: { "containerd-snapshotter": true },
    });
    await docker("--remove");
    expect(readFileSync(daemonJson, "utf8")).toBe(text);
    expect((await docker("--remove")).out).toContain("has nothing that cleat config docker --write wrote\n");
  });

  it.each<[what: string, text: string | undefined]>([
    ["a driver of the owner's", '{\n  "storage-driver": "overlay2",\n  "debug": true\n}\n'],
    ["no file", undefined],
  ])("puts back what was there before both doors, as when Docker 26 became Docker 28: %s", async (_, text) => {
    if (text !== undefined) writeFileSync(daemonJson, text);
    await docker("--docker", "26.1.5", "--graph", "--write");
    const { out } = await docker("--docker", "28.5.2", "--write");
    expect(out).toContain(text === undefined ? "is written\n" : `as it was it is in ${daemonJson}.before-cleat\n`);
    expect(JSON.parse(readFileSync(daemonJson, "utf8"))).toEqual({
      ...(text !== undefined && { debug: true }),
      "storage-driver": "cleat",
      features: { "containerd-snapshotter": true },
    });
    await docker("--remove");
    expect(existsSync(daemonJson) ? readFileSync(daemonJson, "utf8") : undefined).toBe(text);
  });

  it.each(["{}", "{}\n", " \n"])("puts back a file that says nothing, %j, to the byte", async (text) => {
    writeFileSync(daemonJson, text);
    await docker("--docker", "28.5.2", "--write");
    expect((await docker("--remove")).out).toContain(`${daemonJson} is as it would be without Cleat\n`);
    expect(readFileSync(daemonJson, "utf8")).toBe(text);
  });

  it("takes no copy of a file that named Cleat for what its owner had", async () => {
    writeFileSync(daemonJson, '{"storage-driver": "cleat", "features": {"containerd-snapshotter": true}}');
    writeFileSync(`${daemonJson}.before-cleat`, '{"storage-driver": "overlay2"}');
    writeFileSync(`${daemonJson}.before-cleat.2`, '{"experimental": true, "storage-driver": "cleat"}');
    await docker("--remove");
    expect(readFileSync(daemonJson, "utf8")).toBe('{"storage-driver": "overlay2"}');
  });

  it("interrupted before anything is written, leaves the file as it was, and nothing beside it", async () => {
    const text = '{"storage-driver": "overlay2"}';
    writeFileSync(daemonJson, text);
    found.docker = {
      version: { major: 28, minor: 5, patch: 2 },
      get configPath() {
        process.kill(process.pid, "SIGUSR2");
        return daemonJson;
      },
    };
    const survive = () => {};
    process.on("SIGUSR2", survive);
    try {
      const { code, err } = await cleat(["config", "docker", "--write"]);
      expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining("it was interrupted") });
    } finally {
      process.off("SIGUSR2", survive);
    }
    expect(readFileSync(daemonJson, "utf8")).toBe(text);
    expect(readdirSync(folder)).toEqual(["daemon.json"]);
  });

  it.each([
    ["storage-driver", '{"storage-driver": "overlay2", "storage-driver": "btrfs"}'],
    ["features", '{"features": {"a": true}, "features": {"b": true}}'],
    ["containerd-snapshotter", '{"features": {"containerd-snapshotter": false, "containerd-snapshotter": false}}'],
  ])("changes nothing where %j stands twice, as only one of the two counts", async (key, text) => {
    writeFileSync(daemonJson, text);
    const { code, err } = await docker("--docker", "28.5.2", "--write");
    expect({ code, err }).toEqual({ code: 1, err: `cleat: ${daemonJson} has "${key}" twice: take one of them out\n` });
    expect(readFileSync(daemonJson, "utf8")).toBe(text);
  });

  it("removes a file that it made, whatever an earlier copy says", async () => {
    writeFileSync(`${daemonJson}.before-cleat`, '{"storage-driver": "btrfs"}');
    await docker("--docker", "26.1.5", "--graph", "--write");
    expect(readFileSync(daemonJson, "utf8")).toBe('{\n  "experimental": true,\n  "storage-driver": "cleat"\n}\n');
    await docker("--remove");
    expect(existsSync(daemonJson)).toBe(false);
  });

  it("warns of what the file cannot say", async () => {
    found.docker = {
      version: { major: 28, minor: 5, patch: 2 },
      configPath: daemonJson,
      storageDriverFlag: "overlay2",
    };
    found.startsOwn = true;
    const { code, out, err } = await cleat(["config", "docker"]);
    expect({ code, written: existsSync(daemonJson) }).toEqual({ code: 0, written: false });
    expect(JSON.parse(out)).toMatchObject({ "storage-driver": "cleat" });
    expect(err).toContain(
      `dockerd runs with --storage-driver overlay2, and does not start where ${daemonJson} names one, too`,
    );
    expect(err).toContain("dockerd would start its own, which knows no plugins");
  });

  it("says so where Docker has no such door, or is not there", async () => {
    expect(await docker("--docker", "28", "--graph")).toMatchObject({ code: 2 });
    expect(await docker("--docker", "20.10.24")).toMatchObject({ code: 2 });
    expect((await docker()).err).toContain("there is no Docker on this machine");
  });
});

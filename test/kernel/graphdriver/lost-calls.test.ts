/**
 * Calls in which `cleat serve graph` is killed with SIGKILL, before or after their effect, and which the engine then
 * sends again: with nothing, as Docker's client does; all of it, as others do; or the rest of an archive. What somebody
 * holds stays mounted, and a layer is what was sent, or not there.
 */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { describeWith, needs } from "../../needs.ts";
import { cleatCommand } from "../../harness/plugins/cleat.ts";
import { type Namespace, openNamespace } from "../../harness/namespaces/namespace.ts";
import { type PluginProcess, startPlugin } from "../../harness/plugins/plugin-process.ts";
import { type Reply, post } from "../../harness/plugins/post.ts";
import { runCommand } from "../../harness/processes/command.ts";
import { until } from "../../harness/processes/until.ts";

describeWith([needs.root, needs.overlay], "calls in which Cleat is killed", () => {
  let namespace: Namespace;
  let cleat: PluginProcess;
  let order: string;
  let home: string;
  let number = 0;
  /** The container's layer, another one for each test. */
  let layer: string;

  beforeAll(async () => {
    namespace = await openNamespace();
    order = `${namespace.folder}/kill-at`;
    home = `${namespace.folder}/layers`;
    const [node = "", main = ""] = cleatCommand;
    const socket = "/run/docker/plugins/killed.sock";
    const options = ["--name=killed", "--driver=overlay2", `--root=${namespace.folder}/cleat`, `--socket=${socket}`];
    const serve = [
      node,
      "--import",
      resolve("test/harness/processes/kill-at-method.mjs"),
      main,
      "serve",
      "graph",
      ...options,
    ];
    cleat = await startPlugin(namespace, { name: "killed", socket, argv: ["env", `KILL_AT=${order}`, ...serve] });
    await call("Init", { Home: home });
    await call("Create", { ID: "image" });
  });
  afterAll(() => namespace?.[Symbol.asyncDispose]());

  beforeEach(async () => {
    layer = `layer-${++number}`;
    await call("CreateReadWrite", { ID: layer, Parent: "image" });
  });

  const send = (method: string, body: object) => post(cleat.socketPath(), `/GraphDriver.${method}`, body);
  async function call(method: string, body: object): Promise<unknown> {
    const reply = await send(method, body);
    expect(reply, method).toMatchObject({ status: 200 });
    return reply.body;
  }
  const isMounted = async () => (await namespace.mountsUnder(home)).includes(`${home}/${layer}/merged`);
  const get = () => call("Get", { ID: layer });
  const put = () => call("Put", { ID: layer });

  /** Has Cleat killed in what `work` sends, and starts it again. */
  async function killedAt(method: string, when: "before" | "after", work: () => Promise<unknown>): Promise<void> {
    await writeFile(`${order}.new`, JSON.stringify({ path: `/GraphDriver.${method}`, when }));
    await rename(`${order}.new`, order);
    await expect(work()).rejects.toThrow(/hang up|ECONNRESET|EPIPE/);
    expect(existsSync(order)).toBe(false);
    await cleat.end("SIGKILL").catch(() => {}); // it is gone, or about to be
    await cleat.start();
  }

  /** As Docker's client does it: the same call without the body that was read. */
  function sendNothing(method: string): Promise<Reply> {
    return sendRaw(`/GraphDriver.${method}`, Buffer.alloc(0));
  }
  async function sendRaw(path: string, body: Buffer): Promise<Reply> {
    const sending = request({ socketPath: cleat.socketPath(), path, method: "POST", agent: false });
    sending.end(body);
    const [response] = (await once(sending, "response")) as [IncomingMessage];
    const chunks = await response.toArray();
    return { status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) as unknown };
  }

  describe.each(["before", "after"] as const)("%s their effect", (when) => {
    describe.each(["nothing", "all of it"])("and which are sent again with %s", (sent) => {
      const again = (method: string) => (sent === "nothing" ? sendNothing(method) : send(method, { ID: layer }));

      it("a Put leaves mounted what another one holds", async () => {
        await get();
        await get();
        await killedAt("Put", when, () => send("Put", { ID: layer }));
        expect(await again("Put")).toMatchObject({ status: 200 });
        expect(await isMounted()).toBe(true);
      });

      it("a Get leaves mounted what another one holds, though the engine gives it back", async () => {
        await get();
        await killedAt("Get", when, () => send("Get", { ID: layer }));
        await again("Get");
        await put();
        expect(await isMounted()).toBe(true);
      });

      it("a Put of what nobody else holds is answered; the next Get mounts it, its removal unmounts it", async () => {
        await get();
        await killedAt("Put", when, () => send("Put", { ID: layer }));
        expect(await again("Put")).toMatchObject({ status: 200 });
        expect(await get()).toEqual({ Dir: `${home}/${layer}/merged` });
        expect(await isMounted()).toBe(true);
        await call("Remove", { ID: layer });
        expect(await isMounted()).toBe(false);
        expect(existsSync(`${home}/${layer}`)).toBe(false);
      });
    });

    it("a Remove can be sent again", async () => {
      await killedAt("Remove", when, () => send("Remove", { ID: layer }));
      await call("Remove", { ID: layer });
      expect(existsSync(`${home}/${layer}`)).toBe(false);
    });

    it("a Create has made a layer, or not, and says so", async () => {
      const made = { ID: `${layer}-made`, Parent: "image" };
      await killedAt("CreateReadWrite", when, () => send("CreateReadWrite", made));
      expect(await call("Exists", made)).toEqual({ Exists: when === "after" });
      expect(await send("CreateReadWrite", made)).toMatchObject({ status: when === "after" ? 500 : 200 });
      expect(await call("Exists", made)).toEqual({ Exists: true });
    });

    it("the rest of an archive is not taken for all of it", async () => {
      const archive = await twoFiles();
      const path = `/GraphDriver.ApplyDiff?id=${layer}-image&parent=`;
      await call("Create", { ID: `${layer}-image` });
      await killedAt("ApplyDiff", when, () => sendRaw(path, archive));
      expect(await sendRaw(path, archive.subarray(1024))).toMatchObject({ status: 500 });
      await call("Remove", { ID: `${layer}-image` });
      await call("Create", { ID: `${layer}-image` });
      expect(await sendRaw(path, archive)).toEqual({ status: 200, body: { Size: 6 } });
    });
  });

  it("an Init without its body opens nothing", async () => {
    expect(await sendNothing("Init")).toMatchObject({ status: 400 });
    expect(existsSync(`${namespace.folder}/cleat/layers`)).toBe(false);
  });

  it.each(["SIGTERM", "SIGKILL"] as const)("a restart by %s between calls costs nobody a Put", async (signal) => {
    await get();
    await get();
    await until("the answer to be out", async () => (await notesLeft()) === "" || undefined);
    await cleat.end(signal);
    await cleat.start();
    await put();
    expect(await isMounted()).toBe(true);
    await put();
    expect(await isMounted()).toBe(false);
  });

  const notesLeft = () =>
    namespace.run([
      "sh",
      "-c",
      `ls "$1" | grep "$2$" || true`,
      "ls",
      `${namespace.folder}/cleat/state/killed.calls`,
      layer,
    ]);

  it("what somebody else has unmounted is mounted by the next Get, and held by all", async () => {
    await get();
    await namespace.run(["umount", `${home}/${layer}/merged`]);
    await get();
    expect(await isMounted()).toBe(true);
    await put();
    expect(await isMounted()).toBe(true);
    await put();
    expect(await isMounted()).toBe(false);
    expect(existsSync(`${home}/${layer}/merged`)).toBe(false);
  });

  /** Each an entry of two blocks, so that the second begins at 1,024 bytes. */
  async function twoFiles(): Promise<Buffer> {
    const script = `cd "$1" && mkdir -p two && printf one > two/a && printf two > two/b && tar -C two -cf two.tar a b`;
    await runCommand(["sh", "-c", script, "two-files", namespace.folder]);
    return readFile(`${namespace.folder}/two.tar`);
  }
});

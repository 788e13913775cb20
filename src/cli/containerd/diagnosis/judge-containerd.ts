import { resolve } from "node:path";
import { defaultSnapshotterRoot } from "../../terminal/default-folders.ts";
import { formatVersion, hasFeature } from "../config/versions.ts";
import { isDockersConfig } from "../config/find-containerd.ts";
import {
  criImagesPlugin,
  criPlugin,
  criRuntimePlugin,
  differName,
  diffService,
  snapshotterName,
  transferPlugin,
} from "../config/tables.ts";
import { type TomlTable, valueAt } from "../config/toml-text.ts";
import { optionOf } from "../files/installation.ts";
import type { ContainerdFacts } from "./containerd-facts.ts";
import { type EngineFinding, off, right, wrong } from "./engine-findings.ts";

const write = "cleat config containerd --write";
const advice = "then restart containerd";
const systemRoot = defaultSnapshotterRoot({ env: {}, uid: 0 });

/** What is configured for Cleat, whether it is right, and what to do where it is not. */
export async function judgeContainerd(facts: ContainerdFacts): Promise<EngineFinding[]> {
  const { config, configPath } = facts;
  if (isDockersConfig(configPath))
    return [
      off("configuration", "dockerd has started this containerd and writes its file; start one of the system's first"),
    ];
  if (isUnreadable(config)) return [wrong("configuration", `${config.unreadable}; containerd does not start with it`)];
  const proxy = valueAt(config, ["proxy_plugins", snapshotterName]);
  const cri = judgeCri(facts, config, proxy !== undefined);
  const differs = judgeDiffers(facts, config);
  if (proxy === undefined) {
    const text = `${configPath} has no [proxy_plugins.${snapshotterName}]: ${write}, ${advice}`;
    return [off("configuration", text), ...cri.filter(isWrong), ...differs.filter(isWrong)];
  }
  const server = await judgeServer(facts, config, proxy);
  return [
    ...(await judgeProxy(facts, proxy)),
    ...judgeOtherNames(config, proxy),
    ...(await judgeSocket(facts, proxy)),
    ...server,
    ...judgeRunning(facts, config),
    ...judgeTransfer(facts, config),
    ...cri,
    ...differs.filter((one) => isWrong(one) || !server.some(({ subject }) => subject === one.subject)),
  ];
}

function isUnreadable(config: ContainerdFacts["config"]): config is { readonly unreadable: string } {
  return typeof (config as { unreadable?: unknown }).unreadable === "string";
}

const isWrong = ({ state }: EngineFinding) => state === "wrong";

/** The lines of the snapshotter itself. */
async function judgeProxy(
  { version, configPath, driverOf }: ContainerdFacts,
  proxy: unknown,
): Promise<EngineFinding[]> {
  const at = (...path: string[]) => valueAt(proxy, path);
  const findings: EngineFinding[] = [];
  const table = `[proxy_plugins.${snapshotterName}]`;
  const address = at("address");
  if (at("type") !== "snapshot") findings.push(wrong("configuration", `${table} has not type = "snapshot": ${write}`));
  else if (typeof address !== "string" || !address.startsWith("/"))
    findings.push(wrong("configuration", `${table} needs a bare absolute path as address, without unix://: ${write}`));
  const root = at("exports", "root");
  if (hasFeature(version, "exports") && root === undefined)
    findings.push(
      wrong("exports", `containerd does not know where the layers are, so that nobody sees the disk fill: ${write}`),
    );
  const capabilities = at("capabilities");
  if (Array.isArray(capabilities) && capabilities.includes("rebase") && hasFeature(version, "rebase")) {
    const driver = typeof root === "string" ? await driverOf(root) : undefined;
    if (driver !== undefined && driver !== "overlay2")
      findings.push(
        wrong("capabilities", `${driver} cannot put layers on other layers: take "rebase" out of ${table}`),
      );
  }
  return findings.length > 0
    ? findings
    : [right("configuration", `${configPath} names the snapshotter ${snapshotterName}`)];
}

/** What one finds that it does not know it removes; `serve snapshotter` refuses the second. */
function judgeOtherNames(config: TomlTable, proxy: unknown): EngineFinding[] {
  const addressOf = (name: string) => valueAt(config, ["proxy_plugins", name, "address"]);
  const others = proxiesOf(config, "snapshot").filter(
    (name) => name !== snapshotterName && addressOf(name) === valueAt(proxy, ["address"]),
  );
  return others.map((name) =>
    wrong("configuration", `[proxy_plugins.${name}] leads to the same socket, which takes one name: take it out`),
  );
}

async function judgeSocket({ socketFailure }: ContainerdFacts, proxy: unknown): Promise<EngineFinding[]> {
  const address = valueAt(proxy, ["address"]);
  if (typeof address !== "string" || !address.startsWith("/")) return [];
  const failure = await socketFailure(address);
  if (failure === undefined) return [right("socket", `${address} answers`)];
  if (failure === "EACCES") return [off("socket", `${address} is root's; ask again as root`)];
  return [wrong("socket", `nobody answers at ${address} (${failure}): start cleat serve snapshotter`)];
}

/** What the configuration promises of the server, beside what that was started with. */
async function judgeServer(facts: ContainerdFacts, config: TomlTable, proxy: unknown): Promise<EngineFinding[]> {
  const at = (...path: string[]) => valueAt(proxy, path);
  const address = at("address");
  const options = typeof address === "string" ? await facts.optionsOf(address) : undefined;
  if (options === undefined) return [];
  const findings: EngineFinding[] = [];
  const isServed = (what: string) => `cleat serve snapshotter runs ${what}`;
  const capabilities = at("capabilities");
  const promisesMaps =
    Array.isArray(capabilities) && ["remap-ids", "only-remap-ids"].some((one) => capabilities.includes(one));
  const maps = options.includes("--remap-ids");
  if (promisesMaps && !maps)
    findings.push(
      wrong(
        "capabilities",
        `${isServed("without --remap-ids")}, and files of containers with mapped ids have wrong owners: ` +
          "start it with that",
      ),
    );
  if (maps && !promisesMaps && hasFeature(facts.version, "capabilities"))
    findings.push(
      off(
        "capabilities",
        `${isServed("with --remap-ids")}, of which containerd makes use only with capabilities = ["remap-ids"] in ` +
          `[proxy_plugins.${snapshotterName}]`,
      ),
    );
  const differ = valueAt(config, ["proxy_plugins", differName, "address"]);
  if (differ === address && !options.includes("--diff"))
    findings.push(
      wrong("differ", `${isServed("without --diff")}, and containerd asks it for diffs: start it with that`),
    );
  const exported = at("exports", "root");
  const root = optionOf(options, "--root") ?? systemRoot;
  if (typeof exported === "string" && resolve(exported) !== resolve(root))
    findings.push(
      wrong(
        "exports",
        `the server keeps its layers in "${root}", and containerd looks at "${exported}": ${write} --root ${root}`,
      ),
    );
  return findings;
}

/** What the containerd that runs has made of it. */
function judgeRunning({ isRunning, plugins }: ContainerdFacts, config: TomlTable): EngineFinding[] {
  if (isDisabled(config, "io.containerd.snapshotter.v1", snapshotterName))
    return [wrong("plugin", `disabled_plugins names the snapshotter, and containerd leaves it out: take it out there`)];
  if (!isRunning) return [off("plugin", "containerd does not run: start it")];
  if (plugins === undefined)
    return [off("plugin", "containerd runs, and does not answer this user; ask again as root")];
  const plugin = plugins.find(({ type, id }) => type === "io.containerd.snapshotter.v1" && id === snapshotterName);
  if (plugin === undefined)
    return [wrong("plugin", "the containerd that runs does not know the snapshotter yet: restart it")];
  if (plugin.failure !== undefined)
    return [wrong("plugin", `containerd could not load the snapshotter: ${plugin.failure}`)];
  return [right("plugin", "the containerd that runs knows the snapshotter")];
}

/** What ctr, and Kubernetes from containerd 2.1 on, unpack images on. */
function judgeTransfer({ version }: ContainerdFacts, config: TomlTable): EngineFinding[] {
  if (!hasFeature(version, "transferService")) return [];
  const entry = unpackEntry(config);
  const subject = "unpack_config";
  if (entry === undefined) {
    const text = `ctr image pull needs --local to unpack on it: ${write} --transfer, ${advice}`;
    return criUsesOf(config).length > 0 && hasFeature(version, "criTransfers") ? [] : [off(subject, text)];
  }
  const differ = valueAt(entry, ["differ"]);
  if (differ === differName)
    return [wrong(subject, `differ = "${differName}" fails where Cleat has no answer: write differ = "walking" there`)];
  if ((differ === undefined || differ === "") && proxiesOf(config, "diff").length > 0)
    return [wrong(subject, 'containerd guesses among several differs: write differ = "walking" there')];
  return [right(subject, "what ctr pulls can be unpacked on it")];
}

function judgeCri({ version }: ContainerdFacts, config: TomlTable, isConfigured: boolean): EngineFinding[] {
  if (isDisabled(config, criPlugin) || isDisabled(config, "cri")) return [];
  const subject = "Kubernetes";
  const uses = criUsesOf(config);
  if (uses.length === 0)
    return [off(subject, `keeps its images elsewhere; if it should not: ${write} --cri, ${advice}`)];
  const [use] = uses;
  const [what, option] = use === undefined || use === all ? ["", "--cri"] : [` for ${use}`, `--cri-runtime ${use}`];
  if (!isConfigured)
    return [
      wrong(
        subject,
        `is to use "${snapshotterName}"${what}, which is not configured, and the node is not ready: ${write} ${option}`,
      ),
    ];
  if (hasFeature(version, "criTransfers") && unpackEntry(config) === undefined)
    return [
      wrong(
        subject,
        `cannot pull${what}: unpack_config has no entry for "${snapshotterName}": ${write} ${option}, ${advice}`,
      ),
    ];
  return [right(subject, `keeps its images and containers on it${what}`)];
}

function judgeDiffers({ version }: ContainerdFacts, config: TomlTable): EngineFinding[] {
  const proxies = proxiesOf(config, "diff");
  if (proxies.length > 0 && !hasFeature(version, "diffProxies")) {
    const text = `containerd ${formatVersion(version)} does not start with [proxy_plugins.${proxies[0]}]: take it out`;
    return [wrong("differ", text)];
  }
  const asked = valueAt(config, ["plugins", diffService, "default"]);
  const isAsked = Array.isArray(asked) && asked.includes(differName);
  if (isAsked && !proxies.includes(differName))
    return [wrong("differ", `the diff service is to ask "${differName}", which is not configured: ${write} --diff`)];
  if (!proxies.includes(differName)) return [];
  if (!isAsked) return [off("differ", `"${differName}" is configured, and nobody asks it: ${write} --diff`)];
  return [right("differ", "Cleat makes the diffs")];
}

function unpackEntry(config: TomlTable): unknown {
  const entries = valueAt(config, ["plugins", transferPlugin, "unpack_config"]);
  if (!Array.isArray(entries)) return undefined;
  return (entries as unknown[]).find((entry) => valueAt(entry, ["snapshotter"]) === snapshotterName);
}

/** For all that Kubernetes keeps. */
const all = "";

/** For what Kubernetes uses it: `all`, or the names of runtimes that have a snapshotter of their own. */
function criUsesOf(config: TomlTable): string[] {
  const plugin = (name: string, ...path: string[]) => ["plugins", name, ...path];
  const isOurs = (table: unknown) => valueAt(table, ["snapshotter"]) === snapshotterName;
  if ([plugin(criPlugin, "containerd"), plugin(criImagesPlugin)].some((path) => isOurs(valueAt(config, path))))
    return [all];
  const lists = [
    plugin(criPlugin, "containerd", "runtimes"),
    plugin(criRuntimePlugin, "containerd", "runtimes"),
    plugin(criImagesPlugin, "runtime_platforms"),
  ];
  const runtimes = lists.flatMap((path) => Object.entries(valueAt(config, path) ?? {}));
  return [...new Set(runtimes.filter(([, runtime]) => isOurs(runtime)).map(([name]) => name))];
}

/** Files of config version 1 name a plugin without its type. */
function isDisabled(config: TomlTable, ...name: readonly string[]): boolean {
  const disabled = valueAt(config, ["disabled_plugins"]);
  return Array.isArray(disabled) && (disabled.includes(name.join(".")) || disabled.includes(name.at(-1)));
}

function proxiesOf(config: TomlTable, type: string): string[] {
  const proxies = valueAt(config, ["proxy_plugins"]);
  if (typeof proxies !== "object" || proxies === null) return [];
  return Object.keys(proxies).filter((name) => valueAt(proxies, [name, "type"]) === type);
}

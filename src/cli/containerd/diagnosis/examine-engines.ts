import { toCleatError } from "../../../errors/index.ts";
import { defaultAddress, findContainerd } from "../config/find-containerd.ts";
import { snapshotterName } from "../config/tables.ts";
import { valueAt } from "../config/toml-text.ts";
import { parseDaemonJson } from "../docker/daemon-json.ts";
import { findDocker, startsOwnContainerd } from "../docker/find-docker.ts";
import { memberAt } from "../docker/daemon-json.ts";
import { readEditedFile } from "../files/edited-file.ts";
import { type ContainerdFacts, gatherContainerdFacts } from "./containerd-facts.ts";
import { type EngineReport, wrong } from "./engine-findings.ts";
import { judgeContainerd } from "./judge-containerd.ts";
import { type DockerFacts, judgeDocker } from "./judge-docker.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Each engine that is on this machine, with what is right and wrong for Cleat. Reads and asks; changes nothing. */
export async function examineEngines(env: Env, address = defaultAddress): Promise<EngineReport[]> {
  const reports: EngineReport[] = [];
  let facts: ContainerdFacts | undefined;
  try {
    const found = await findContainerd(address, env);
    facts = found === undefined ? undefined : await gatherContainerdFacts(found, address);
    if (facts !== undefined) {
      const what = describe(facts.versionText, facts.configPath, facts.isRunning);
      reports.push({ engine: "containerd", what, findings: await judgeContainerd(facts) });
    }
  } catch (error) {
    // It is older than what Cleat knows.
    reports.push({ engine: "containerd", what: "", findings: [wrong("version", toCleatError(error).message)] });
  }
  const docker = await findDocker(env);
  if (docker === undefined) return reports;
  const config = await readDaemonJson(docker.configPath);
  const containerd = memberAt(config, ["containerd"]) ?? docker.containerdFlag;
  const dockerFacts: DockerFacts = {
    ...docker,
    config,
    startsOwnContainerd: await startsOwnContainerd(typeof containerd === "string" ? containerd : undefined),
    containerdKnows: facts && valueAt(facts.config, ["proxy_plugins", snapshotterName]) !== undefined,
  };
  const what = describe(docker.versionText, docker.configPath, docker.isRunning);
  return [...reports, { engine: "Docker", what, findings: judgeDocker(dockerFacts) }];
}

function describe(version: string, configPath: string, isRunning: boolean): string {
  return `${version}, ${isRunning ? "running" : "not running"}; its file is ${configPath}`;
}

async function readDaemonJson(path: string): Promise<DockerFacts["config"]> {
  try {
    return parseDaemonJson((await readEditedFile(path)).text, path);
  } catch (error) {
    return { unreadable: toCleatError(error).message };
  }
}

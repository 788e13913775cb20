import { CleatError, quoteText, SchemaError, type SchemaIssue } from "../errors/index.ts";
import { type Client, type Method, volumeDriverProtocol } from "../protocol/index.ts";
import { type Logger, silentLogger, unlessUnimplemented } from "../transport/index.ts";
import { askOnce } from "./ask-once.ts";
import type { VolumeCapabilities, VolumeDriver } from "./driver.ts";
import { usableVolumes } from "./usable-volumes.ts";
import { assertVolumeName } from "./volume-name.ts";
import { fromWireVolume, mountpointIssues } from "./wire-shapes.ts";

export interface RemoteVolumeDriverOptions {
  /** The plugin's name, for errors and as the driver's name. */
  readonly name: string;
  /** Hears of answers that are of no use. Default: says nothing. */
  readonly logger?: Logger | undefined;
}

/**
 * A volume driver behind a client: a driver like any other. What the plugin answers as failure is a `RemoteError`, with
 * its code where the plugin is Cleat's.
 *
 * - `capabilities` is asked once, at the client's own deadline, and kept. A plugin that does not know the method is
 *   `local`, and so is one that answers another scope, which is logged as a warning.
 * - `get` of a volume which the plugin answers with none is NOT_FOUND.
 * - `mount` rejects with DATA_LOSS when the plugin answers no absolute path; `get` and `path` do where there is a path
 *   and it is not absolute, and `get` where another volume is answered.
 * - `list` leaves out volumes with names that name none or twice the same one, or with such paths, and logs a warning.
 * - `close` sends nothing: the driver is the plugin's.
 */
export function createRemoteVolumeDriver(
  client: Client<typeof volumeDriverProtocol>,
  { name: plugin, logger = silentLogger }: RemoteVolumeDriverOptions,
): VolumeDriver {
  const methods = volumeDriverProtocol.methods;
  const subjectOf = ({ path }: Method) => `answer of ${path} on plugin "${plugin}"`;
  const capabilities = askOnce(`${methods.capabilities.path} on plugin "${plugin}"`, async () =>
    toCapabilities(await askScope(client), plugin, logger),
  );

  return {
    name: plugin,
    capabilities,
    async create(name, { options } = {}, call) {
      await client.create({ Name: checkName(name), Opts: { ...options } }, call);
    },
    async list(call) {
      const { Volumes } = await client.list({}, call);
      return usableVolumes(Volumes, { plugin }, logger).map(fromWireVolume);
    },
    async get(name, call) {
      const { Volume: wire } = await client.get({ Name: checkName(name) }, call);
      if (wire === undefined) {
        throw new CleatError("NOT_FOUND", `volume "${name}" is not there: plugin "${plugin}" answered none`);
      }
      const another = { path: "Name", problem: `${quoteText(wire.Name)} is not "${name}"` };
      assertNone([...(wire.Name === name ? [] : [another]), ...mountpointIssues(wire.Mountpoint)], methods.get);
      return fromWireVolume(wire);
    },
    async remove(name, call) {
      await client.remove({ Name: checkName(name) }, call);
    },
    async path(name, call) {
      const { Mountpoint } = await client.path({ Name: checkName(name) }, call);
      assertNone(mountpointIssues(Mountpoint), methods.path);
      return Mountpoint === "" ? undefined : Mountpoint;
    },
    async mount(name, id, call) {
      const { Mountpoint } = await client.mount({ Name: checkName(name), ID: id }, call);
      const empty = { path: "Mountpoint", problem: "is empty" };
      assertNone(Mountpoint === "" ? [empty] : mountpointIssues(Mountpoint), methods.mount);
      return Mountpoint;
    },
    async unmount(name, id, call) {
      await client.unmount({ Name: checkName(name), ID: id }, call);
    },
    async close() {},
  };

  function assertNone(issues: readonly SchemaIssue[], method: Method): void {
    if (issues.length > 0) throw new SchemaError("DATA_LOSS", subjectOf(method), issues);
  }
}

function checkName(name: string): string {
  assertVolumeName(name);
  return name;
}

/**
 * Docker takes any failure for "local" (same file as below); here only a plugin without the method is: one that is just
 * starting would be taken for local for good.
 */
async function askScope(client: Client<typeof volumeDriverProtocol>): Promise<string> {
  const answer = await unlessUnimplemented(client.capabilities({}), undefined);
  return answer?.Capabilities.Scope ?? ""; // an old plugin
}

/** Source: moby v20.10.24 `volume/drivers/adapter.go`, `getCapabilities`. */
function toCapabilities(wireScope: string, plugin: string, logger: Logger): VolumeCapabilities {
  const scope = wireScope.toLowerCase();
  if (scope === "local" || scope === "global") return { scope };
  if (scope !== "") logger.warn({ plugin, scope: quoteText(wireScope) }, "unknown scope; taken to be local");
  return { scope: "local" };
}

import { isDeepStrictEqual } from "node:util";
import { CleatError, toCleatError } from "../../../errors/index.ts";
import { compareBranches, formatVersion, type Version } from "../config/versions.ts";
import { findTwice, removeMember, setMember } from "./json-members.ts";

/** By which door Docker comes to Cleat's layers. */
export type DockerDoor = "snapshotter" | "graph driver plugin";

/** A member of `daemon.json`, by its path. */
export interface Setting {
  readonly path: readonly string[];
  readonly value: string | boolean;
}

const atLeast = (version: Version, major: number) => compareBranches(version, { major, minor: 0 }) >= 0;

/**
 * Docker 24 and later can keep images with a containerd snapshotter (an experiment at first); graph driver plugins are
 * gone in 28, and switched off in 27. Sources: moby v26.1.5 `daemon/daemon.go`, v28.5.2 `daemon/daemon.go`.
 * @throws INVALID_ARGUMENT when this Docker has no such door.
 */
export function chooseDoor(version: Version, wantsPlugin: boolean): DockerDoor {
  const takes = (what: string) => `Docker ${formatVersion(version)} takes no ${what}`;
  if (wantsPlugin && atLeast(version, 27))
    throw new CleatError(
      "INVALID_ARGUMENT",
      `${takes("graph driver plugins")}: leave --graph out, and serve a snapshotter`,
    );
  if (wantsPlugin) return "graph driver plugin";
  if (atLeast(version, 24)) return "snapshotter";
  throw new CleatError("INVALID_ARGUMENT", `${takes("snapshotters")}: give --graph, and serve a graph driver`);
}

/** What `daemon.json` has to say. */
export function dockerSettings(door: DockerDoor): Setting[] {
  const driver = { path: ["storage-driver"], value: "cleat" };
  if (door === "snapshotter") return [{ path: ["features", "containerd-snapshotter"], value: true }, driver];
  return [{ path: ["experimental"], value: true }, driver];
}

type Json = Readonly<Record<string, unknown>>;

/**
 * @throws FAILED_PRECONDITION when it is not an object of JSON. An empty file is what dockerd takes it for: nothing.
 */
export function parseDaemonJson(text: string | undefined, subject: string): Json {
  if (text === undefined || text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  } catch (error) {
    const { message } = toCleatError(error);
    throw new CleatError("FAILED_PRECONDITION", `${subject} is not JSON: ${message}`, { cause: error });
  }
  throw new CleatError("FAILED_PRECONDITION", `${subject} is not an object of JSON`);
}

/**
 * The file with the settings in it, everything else as it was written.
 * @throws FAILED_PRECONDITION when it is not an object of JSON, or where a setting would stand there is no object, or
 * there are two.
 */
export function withSettings(text: string | undefined, settings: readonly Setting[], subject: string): string {
  const object = parseDaemonJson(text, subject);
  for (const { path } of settings) assertGivenOnce(text, path, subject);
  const missing = settings.filter(({ path, value }) => memberAt(object, path) !== value);
  for (const { path } of missing) assertObjects(object, path, subject);
  const start = text === undefined || text.trim() === "" ? "{}\n" : text;
  return missing.reduce((edited, { path, value }) => setMember(edited, path, value), start);
}

/**
 * The file as it would be without Cleat: what its owner had there before, or nothing. `before` is the text from which
 * `withSettings` made it; what has been written since stays. `undefined` where there would be no file.
 */
export function withoutSettings(text: string, before: string | undefined, subject: string): string | undefined {
  const settings = settingsOf(text, subject);
  if (settings.length === 0) return text;
  for (const { path } of settings) assertGivenOnce(text, path, subject);
  if (withSettings(before, settings, subject) === text) return before;
  const then = parseDaemonJson(before, subject);
  return settings.reduce((edited, { path }) => {
    const value = memberAt(then, path);
    return value === undefined ? removeMember(edited, path) : setMember(edited, path, value);
  }, text);
}

/** The settings of Cleat's that a file has, by the door that they open; none where another driver is named. */
export function settingsOf(text: string | undefined, subject: string): readonly Setting[] {
  const object = parseDaemonJson(text, subject);
  if (memberAt(object, ["storage-driver"]) !== "cleat") return [];
  const has = ({ path, value }: Setting) => memberAt(object, path) === value;
  const doors = [dockerSettings("snapshotter"), dockerSettings("graph driver plugin")];
  return doors.find((settings) => settings.every(has)) ?? doors[0]?.filter(has) ?? [];
}

/** Whether a file has Cleat's settings by another door than `wanted` opens. */
export function hasOtherDoor(text: string | undefined, wanted: readonly Setting[], subject: string): boolean {
  const isWanted = ({ path }: Setting) => wanted.some((one) => isDeepStrictEqual(one.path, path));
  return !settingsOf(text, subject).every(isWanted);
}

export function memberAt(object: unknown, path: readonly string[]): unknown {
  let value = object;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Json)[key];
  }
  return value;
}

/** Or what is changed would be one, and what counts the other. */
function assertGivenOnce(text: string | undefined, path: readonly string[], subject: string): void {
  const key = findTwice(text ?? "", path);
  if (key === undefined) return;
  throw new CleatError("FAILED_PRECONDITION", `${subject} has ${JSON.stringify(key)} twice: take one of them out`);
}

function assertObjects(object: Json, path: readonly string[], subject: string): void {
  for (let depth = 1; depth < path.length; depth++) {
    const value = memberAt(object, path.slice(0, depth));
    if (value === undefined) return;
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new CleatError("FAILED_PRECONDITION", `${subject} has no object under ${JSON.stringify(path[depth - 1])}`);
  }
}

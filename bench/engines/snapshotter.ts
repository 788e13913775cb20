import { resolve } from "node:path";
import { startContainerd } from "../../test/harness/containerd/containerd.ts";
import { createCtr, type Ctr } from "../../test/harness/containerd/ctr.ts";
import { runCommand } from "../../test/harness/processes/command.ts";
import { startDockerOnContainerd } from "../../test/harness/containerd/docker-on-containerd.ts";
import { writeImageArchive } from "../../test/harness/images/image-archive.ts";
import { type Namespace, openNamespace } from "../../test/harness/namespaces/namespace.ts";
import { forky } from "../../test/harness/namespaces/release.ts";
import { createScratch } from "../../test/harness/namespaces/scratch.ts";
import { type SnapshotterProcess, startProxy, startSnapshotter } from "../../test/harness/containerd/snapshotter.ts";
import { buildGoProgram, debianGo } from "../../test/interop/go-program.ts";
import { largeImage } from "../content/large-image.ts";
import { type Limit, median, type Measurement, timeMs } from "../measuring/measure.ts";
import { compareDockers } from "./docker-commands.ts";
import {
  compareCall,
  compareProcessorTime,
  type Peer,
  type RoundTimes,
  runPart,
  timeRound,
} from "./snapshotter-calls.ts";

const callsPerRound = 100;
/** Before any is counted: the compilers of V8 are done with what a server of some minutes runs. */
const warmingCalls = 1_000;
const filesCommitted = 2_000;
const layersPerRound = 3;
const listRounds = 3;

/**
 * Cleat and the others: stargz is a proxy snapshotter in Go, overlayfs containerd's own. Neither flushes what was
 * unpacked; nor does "lax", which is Cleat with `--durability=none`.
 */
type Name = "cleat" | "lax" | "stargz" | "overlayfs";

/** The machine's containerd, with Cleat over overlay2 and stargz behind it. */
async function openPeers(namespace: Namespace) {
  const cleat = await startSnapshotter(namespace, { name: "cleat", driver: "overlay2" });
  const lax = await startSnapshotter(namespace, { name: "lax", driver: "overlay2", arguments: ["--durability=none"] });
  const stargz = await startStargz(namespace);
  const containerd = await startContainerd(namespace, { proxies: [cleat, lax, stargz] });
  const atSocket: Peer<Name>[] = [cleat, lax, stargz].map(({ name, socket, pid }) => ({
    name: name as Name,
    socket,
    pids: [pid()],
  }));
  const behind: Peer<Name>[] = (["cleat", "lax", "stargz", "overlayfs"] as const).map((name) => ({
    name,
    socket: containerd.socket,
    snapshotter: name,
    pids: [containerd.pid(), ...atSocket.filter((peer) => peer.name === name).flatMap(({ pids }) => pids)],
  }));
  return { containerd, atSocket, behind };
}

/**
 * Calls of Cleat's snapshotter beside stargz's, at the socket: with durability `none` beside it as it is, with the
 * default, by which what was prepared is on the disk, beside it and a sync of the file system. In turns, so that
 * whatever else the machine does meets both.
 */
export async function measureSnapshotterCalls(rounds: number): Promise<readonly Measurement[]> {
  await using namespace = await openNamespace();
  const { atSocket } = await openPeers(namespace);
  const times = await timeRounds(namespace, atSocket, rounds, "calls", callsPerRound, { warming: warmingCalls });
  const of = { call: "prepare", reference: "stargz" };
  return [
    ...compareCall(times, {
      ...of,
      title: "prepare, at the socket, --durability=none",
      subject: "lax",
      limit: halfMore,
    }),
    ...compareCall(times, {
      ...of,
      title: "prepare, at the socket, on the disk when it is answered",
      subject: "cleat",
      referenceCall: "prepareSynced",
      beside: "stargz, synced",
      limit: halfMore,
    }),
    ...compareSmallCalls(times, "at the socket", "stargz", { stat: halfMore }),
  ];
}

/** The same as containerd's clients have them, beside containerd's own overlayfs, too. */
export async function measureSnapshotterBehind(rounds: number): Promise<readonly Measurement[]> {
  await using namespace = await openNamespace();
  const { behind } = await openPeers(namespace);
  const times = await timeRounds(namespace, behind, rounds, "calls", callsPerRound, { warming: warmingCalls });
  return (["stargz", "overlayfs"] as const).flatMap((reference) =>
    compareSmallCalls(times, `behind containerd, beside ${reference}`, reference, {}),
  );
}

function compareSmallCalls(
  times: ReadonlyMap<string, readonly RoundTimes[]>,
  where: string,
  reference: Name,
  limits: Partial<Readonly<Record<string, Limit>>>,
): Measurement[] {
  const rows = ["prepare", "stat", "commit", "remove"].flatMap((call) => {
    const title = call === "stat" || call === "prepare" ? `${call}, ${where}` : `${call}, of nothing, ${where}`;
    return compareCall(times, { title, subject: "cleat", call, reference, limit: limits[call] });
  });
  return [...rows, compareProcessorTime(times, { title: `all of these, ${where}`, subject: "cleat", reference })];
}

/**
 * Commits of layers behind containerd, whose own overlayfs flushes none of them: with durability `none` beside it as it
 * is, with the default, by which all of a committed layer is on the disk, beside it and a sync of the file system.
 */
export async function measureSnapshotterCommits(rounds: number): Promise<readonly Measurement[]> {
  await using namespace = await openNamespace();
  const { behind } = await openPeers(namespace);
  const peers = behind.filter(({ name }) => name !== "stargz");
  const times = await timeRounds(namespace, peers, rounds, "commits", layersPerRound, { files: filesCommitted });
  const reference = "overlayfs";
  const rows = (call: string, what: string) => [
    ...compareCall(times, { title: `${what}, --durability=none`, subject: "lax", call, reference, goal: 1 }),
    ...compareCall(times, {
      title: what,
      subject: "cleat",
      call,
      reference,
      referenceCall: `${call}Synced`,
      beside: "overlayfs, synced",
      goal: 1,
    }),
  ];
  return [
    ...rows("commit", "commit, of 2,000 files"),
    ...rows("commitRested", "commit, of 2,000 files written a second before"),
    ...compareCall(times, { title: "remove, of 2,000 files", subject: "cleat", call: "remove", reference }),
    compareProcessorTime(times, { title: "all of these commits and removals", subject: "cleat", reference }),
  ];
}

const halfMore: Limit = { maxRatio: 1.5 };
const notMore: Limit = { maxRatio: 1 };

async function startStargz(namespace: Namespace): Promise<SnapshotterProcess> {
  const program = await buildGoProgram(resolve("bench/engines/stargz"), namespace.folder, [debianGo]);
  const root = `${namespace.folder}/stargz-root`;
  return startProxy(namespace, { name: "stargz", root, argv: (socket) => [program, socket, root] });
}

/** A round of each, and another, after one that is not counted, of `warming` calls. */
async function timeRounds(
  namespace: Namespace,
  peers: readonly Peer<Name>[],
  rounds: number,
  part: "calls" | "commits",
  count: number,
  { warming = count, files = 0 }: { readonly warming?: number; readonly files?: number } = {},
) {
  const times = new Map<Name, RoundTimes[]>(peers.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++)
    for (const peer of round % 2 === 0 ? peers : peers.toReversed()) {
      await runCommand(["sync"]);
      const measured = await timeRound(namespace, peer, part, round === 0 ? warming : count, files);
      if (round > 0) times.get(peer.name)!.push(measured);
    }
  return times;
}

/** The blobs are in containerd's store already: what is timed is their unpacking, for the most part. */
export async function measureSnapshotterImports(rounds: number): Promise<readonly Measurement[]> {
  await using namespace = await openNamespace();
  const { containerd } = await openPeers(namespace);
  const archive = `${namespace.folder}/large.tar`;
  await writeImageArchive(archive, "localhost/large", largeImage);
  await containerd.ctr("kept", "images", "import", "--no-unpack", archive);
  const subjects = (["cleat", "overlayfs", "lax", "stargz"] as const).map((name) =>
    createCtr(namespace, containerd, { space: `import-${name}`, snapshotter: name }),
  );
  const times = new Map<string, number[]>(subjects.map(({ snapshotter }) => [snapshotter, []]));
  for (let round = 0; round <= rounds; round++)
    for (const subject of round % 2 === 0 ? subjects : subjects.toReversed()) {
      const ms = await timeImport(subject, archive);
      if (round > 0) times.get(subject.snapshotter)!.push(ms);
    }
  const of = (name: Name) => median(times.get(name)!);
  const row = (subject: Name, name: Name, limit: Limit | undefined, how = ""): Measurement => ({
    name: `ctr images import, 20,000 files in 6 layers, beside ${name}${how}`,
    unit: "ms",
    cleat: of(subject),
    reference: { name, value: of(name) },
    limit,
  });
  return [
    row("cleat", "overlayfs", notMore),
    row("cleat", "stargz", undefined),
    row("lax", "overlayfs", notMore, ", --durability=none"),
  ];
}

async function timeImport(subject: Ctr, archive: string): Promise<number> {
  await runCommand(["sync"]);
  const ms = await timeMs(() => subject.importImages(archive));
  await subject.removeEverything();
  return ms;
}

/** Lists of many snapshots. */
export async function measureSnapshotterLists(snapshots: number): Promise<readonly Measurement[]> {
  await using namespace = await openNamespace();
  const { atSocket, behind } = await openPeers(namespace);
  const title = `list of ${snapshots.toLocaleString("en")}`;
  const direct = await timeLists(namespace, atSocket, snapshots);
  for (const peer of atSocket) await runPart(namespace, peer, "empty", snapshots);
  const through = await timeLists(namespace, behind, snapshots);
  const row = (where: string, times: ReadonlyMap<Name, number>, name: Name): Measurement => ({
    name: `${title}, ${where}, beside ${name}`,
    unit: "ms",
    cleat: times.get("cleat")!,
    reference: { name, value: times.get(name)! },
    limit: undefined,
  });
  return [
    row("at the socket", direct, "stargz"),
    row("behind containerd", through, "stargz"),
    row("behind containerd", through, "overlayfs"),
  ];
}

async function timeLists(namespace: Namespace, peers: readonly Peer<Name>[], snapshots: number) {
  const times = new Map<Name, number[]>();
  for (const peer of peers) await runPart(namespace, peer, "fill", snapshots);
  for (let round = 0; round < listRounds; round++)
    for (const peer of peers) {
      const { listUs } = await runPart<{ listUs: number }>(namespace, peer, "list", snapshots);
      times.set(peer.name, [...(times.get(peer.name) ?? []), listUs / 1_000]);
    }
  return new Map([...times].map(([name, each]) => [name, median(each)] as const));
}

/**
 * Docker 28, whose images are in containerd, each with one of its own, as who makes diffs is the same for all in it:
 * half the time for a commit is what Cleat aims at. With durability `none`, as containerd's own overlayfs is, and with
 * the default.
 */
export async function measureSnapshotterDocker(rounds: number): Promise<readonly Measurement[]> {
  await using other = await openNamespace(forky);
  const { docker } = await startDockerOnContainerd(other, await startContainerd(other, { proxies: [] }), "overlayfs");
  const reference = { title: "overlayfs", docker };
  await using scratch = await createScratch();
  const rows: Measurement[] = [];
  for (const [title, durability, compared] of [
    [
      "Docker 28: ",
      [],
      { limits: { "on the disk: docker load": notMore, "docker commit": { maxRatio: 0.5 } }, durable: ["docker load"] },
    ],
    ["Docker 28, --durability=none: ", ["--durability=none"], { limits: { "docker load": notMore } }],
  ] as const) {
    await using namespace = await openNamespace(forky);
    const proxy = await startSnapshotter(namespace, {
      name: "cleat",
      driver: "overlay2",
      arguments: ["--diff", ...durability],
    });
    const containerd = await startContainerd(namespace, { proxies: [proxy], differ: proxy });
    const cleat = await startDockerOnContainerd(namespace, containerd, proxy.name);
    const pair = { title, cleat, reference, recipes: largeImage, ...compared };
    rows.push(...(await compareDockers(pair, rounds, scratch.path)));
  }
  return rows;
}

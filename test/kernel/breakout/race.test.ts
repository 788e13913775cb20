/**
 * A second process exchanges a folder of the tree and a symlink to the victim while it is unpacked into, archived,
 * compared, copied, looked up in and removed: 100,000 times for each of these at night.
 */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";

import {
  archiveChanges,
  archiveDifference,
  copyTree,
  diskUsage,
  findChangesDepthFirst,
  openLayerFile,
  removeTree,
} from "../../../src/layer/index.ts";
import { openByKernel, openByWalk } from "../../../src/layer/tree/confine.ts";
import { apply, archive, archiveOf, deleting, failureOf, overlay } from "../../../src/layer/tree/trees.test.support.ts";
import { withFolderAt } from "../../../src/layer/tree/with-folder.ts";
import { close, fstat } from "../../../src/syscall/index.ts";
import { describeWith, needs } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { file, folder, hardlink } from "./rows.ts";
import { makeScene, type Scene, secret } from "./scene.ts";

const [swaps] = byDayOrNight([500], [100_000]) as [number];

const below = [folder("swap"), file("swap/hello"), folder("swap/sub"), file("swap/sub/hello"), file("other")];

const entries = [
  { ...folder("swap"), mode: 0o777, uid: 5 },
  file("swap/hello", "broken"),
  { ...folder("swap/sub"), mode: 0o777, uid: 5 },
  file("swap/sub/hello", "broken"),
  hardlink("stolen", "swap/hello"),
  file("swap/.wh.link", ""),
  file("swap/.wh..wh..opq", ""),
  file(".wh.swap", ""),
];

const noIds = { uids: [], gids: [] };

/** One round; what it read comes back, to be searched for the secret. */
type Act = (scene: Scene, round: number) => Buffer | undefined;

const acts: Record<string, Act> = {
  unpacked: ({ root }, round) => {
    apply(root, archiveOf(...entries), round % 2 === 0 ? deleting : overlay);
    return undefined;
  },
  archived: ({ root }, round) => archive(root, round % 2 === 0 ? deleting : overlay),
  "compared for Docker": (scene) =>
    beyondNothing(scene, (newer, older, sink) =>
      archiveDifference(newer, older, sink, { whiteouts: deleting, ids: noIds, archiveDialect: "docker-26" }),
    ),
  "compared for containerd": (scene) =>
    beyondNothing(scene, (newer, older, sink) => archiveChanges(findChangesDepthFirst(newer, older), newer, sink)),
  copied: ({ root, path }) => {
    const copy = `${path}-copy`;
    fs.mkdirSync(copy);
    try {
      failureOf(() => withFolderAt(root, (from) => withFolderAt(copy, (to) => copyTree(from, to))));
      return archive(copy);
    } finally {
      fs.rmSync(copy, { recursive: true });
    }
  },
  measured: ({ root }) => Buffer.from(inspect(withFolderAt(root, diskUsage))),
  "looked up in": ({ root }) =>
    withFolderAt(root, (opened) => {
      const descriptor = openLayerFile(opened, Buffer.from("swap/hello"));
      try {
        return fs.readFileSync(descriptor);
      } finally {
        close(descriptor);
      }
    }),
  removed: ({ root }, round) => {
    if (round % 2 === 0) failureOf(() => apply(root, archiveOf(...below), deleting));
    else withFolderAt(root, (opened) => removeTree(opened, "swap"));
    return undefined;
  },
  "confined by openat2": confining(openByKernel),
  "confined by a walk": confining(openByWalk),
};

function confining(open: typeof openByWalk): Act {
  return ({ root, victim }) => {
    const inside = fs.statSync(victim, { bigint: true }).ino;
    withFolderAt(root, (opened) => {
      const descriptor = open(opened, Buffer.from("swap"));
      const { inode } = fstat(descriptor);
      close(descriptor);
      expect(inode).not.toBe(inside);
    });
    return undefined;
  };
}

type Sink = { write(bytes: Uint8Array): void };

function beyondNothing({ root, path }: Scene, write: (newer: number, older: number, sink: Sink) => void): Buffer {
  const parts: Buffer[] = [];
  const sink = { write: (bytes: Uint8Array) => void parts.push(Buffer.from(bytes)) };
  withFolderAt(root, (newer) => withFolderAt(`${path}/empty`, (older) => write(newer, older, sink)));
  return Buffer.concat(parts);
}

describeWith([needs.root], "while another process exchanges a folder for a symlink to the victim, a tree", () => {
  let scene: Scene;
  beforeEach(() => {
    scene = makeScene();
    fs.mkdirSync(`${scene.path}/empty`);
    apply(scene.root, archiveOf(...below));
  });
  afterEach(() => scene.remove());

  it.each(Object.entries(acts))("that is %s keeps to its root", async (_, act) => {
    const before = stateOf(scene);
    const outcomes = new Set<string>();
    await whileSwapped(scene, (count) => {
      for (let round = 0; count() < swaps || (outcomes.size === 1 && round < 200_000); round++) {
        let read: Buffer | undefined;
        const failure = failureOf(() => (read = act(scene, round)));
        if (failure !== undefined) expect(failure.code, failure.message).toBeDefined();
        expect(read?.includes(secret) ?? false).toBe(false);
        outcomes.add(failure?.code ?? `done ${read?.toString("latin1")}`);
      }
    });
    expect(stateOf(scene)).toEqual(before);
    expect(outcomes.size, [...outcomes].join()).toBeGreaterThan(1);
  });
});

/** What an attacker could change of the victim. */
function stateOf({ victim }: Scene): unknown {
  const told = ["", "/hello", "/link"].map((name) => {
    const { ctimeNs, nlink, mode } = fs.lstatSync(victim + name, { bigint: true });
    return [name, ctimeNs, nlink, mode];
  });
  return [told, fs.readdirSync(victim), fs.readFileSync(`${victim}/hello`, "latin1")];
}

/** `act` is given how often they were exchanged by now. */
async function whileSwapped({ root, path, victim }: Scene, act: (count: () => number) => void): Promise<void> {
  const counted = `${path}/count`;
  fs.writeFileSync(counted, "0");
  fs.symlinkSync(victim, `${path}/link`);
  const program = join(import.meta.dirname, "swapper.mjs");
  const child = spawn(process.execPath, [program, `${root}/swap`, `${path}/link`, victim, counted], {
    stdio: "inherit",
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  try {
    act(() => Number(fs.readFileSync(counted, "latin1")));
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

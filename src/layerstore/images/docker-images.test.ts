import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withFolderAt } from "../../layer/index.ts";
import { chainIdsOf } from "../chain-ids.ts";
import { readDockerImages } from "./docker-images.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cleat-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const digestOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const pathOf = (digest: string | undefined) => digest?.replace(":", "/");
const read = () => withFolderAt(root, (folder) => readDockerImages(folder, "overlay2"));

function write(path: string, text: string): void {
  const full = join(root, "image/overlay2", path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
}

function writeImage(config: string): string {
  const id = digestOf(config);
  write(`imagedb/content/${pathOf(id)}`, config);
  return id;
}

const configOf = (...diffIds: unknown[]) => JSON.stringify({ rootfs: { type: "layers", diff_ids: diffIds } });

/** A layer for each name on the one before; their diff ids. */
function writeLayers(...names: string[]): string[] {
  const diffIds = names.map(digestOf);
  for (const [at, chainId] of chainIdsOf(diffIds).entries()) {
    const folder = `layerdb/${pathOf(chainId)}`;
    write(`${folder}/cache-id`, `cache-${names[at]}`);
    write(`${folder}/diff`, diffIds[at] ?? "");
    write(`${folder}/tar-split.json.gz`, "");
  }
  return diffIds;
}

function writeNames(names: Record<string, unknown>): void {
  write("repositories.json", JSON.stringify({ Repositories: { any: names } }));
}

describe("images of a data root", () => {
  it("have all their names, their configuration, and their layers from the lowest up", () => {
    const diffIds = writeLayers("one", "two");
    const config = configOf(...diffIds);
    const id = writeImage(config);
    const empty = writeImage(configOf());
    writeNames({ "b:2": id, "b:1": id, "a:empty": empty, [`b@${digestOf("manifest")}`]: id });
    const chains = chainIdsOf(diffIds);
    expect(read()).toEqual({
      images: [
        { id: empty, names: ["a:empty"], config: Buffer.from(configOf()), layers: [], obstacle: undefined },
        {
          id,
          names: ["b:1", "b:2"],
          config: Buffer.from(config),
          layers: [
            { diffId: diffIds[0], chainId: chains[0], id: "cache-one" },
            { diffId: diffIds[1], chainId: chains[1], id: "cache-two" },
          ],
          obstacle: undefined,
        },
      ],
      unnamed: [],
    });
  });

  it("without a name are apart, but for steps on the way to another", () => {
    const [step, child] = [writeImage('{"step":1}'), writeImage('{"child":1}')];
    write(`imagedb/metadata/${pathOf(child)}/parent`, step);
    write("imagedb/content/sha256/not-a-digest", "{}");
    expect(read()).toMatchObject({ images: [], unnamed: [{ id: child, names: [], layers: [], obstacle: undefined }] });
  });

  it("are none where nothing is, and where the names are damaged", () => {
    expect(read()).toEqual({ images: [], unnamed: [] });
    write("repositories.json", "{");
    expect(read()).toEqual({ images: [], unnamed: [] });
    writeNames({ "a:1": "sha256:../../../../etc/passwd", "b:1": 7 });
    expect(read()).toEqual({ images: [], unnamed: [] });
  });
});

describe("an image that cannot be taken out", () => {
  const obstacle = (id: string) => {
    writeNames({ "a:1": id });
    return read().images[0]?.obstacle;
  };

  it("says that its configuration is gone, changed, or none", () => {
    expect(obstacle(digestOf("gone"))).toBe("its configuration is not there");
    const id = writeImage(configOf());
    write(`imagedb/content/${pathOf(id)}`, "{}");
    expect(obstacle(id)).toBe(`its configuration is damaged: its digest is ${digestOf("{}")}`);
    expect(obstacle(writeImage(configOf("sha256:/../..")))).toBe("its configuration names no layers");
  });

  it("says which layer is gone, or another, or has lost what its archive was", () => {
    const [one = ""] = writeLayers("one");
    const id = writeImage(configOf(one));
    const folder = `layerdb/${pathOf(one)}`;
    expect(obstacle(id)).toBe(undefined);
    write(`${folder}/diff`, digestOf("other"));
    expect(obstacle(id)).toBe(`layer ${one} is recorded to be another than ${one}`);
    write(`${folder}/diff`, one);
    rmSync(join(root, "image/overlay2", folder, "tar-split.json.gz"));
    const lost = `layer ${one} has no tar-split.json.gz, without which its archive cannot be made again`;
    expect(obstacle(id)).toBe(lost);
    symlinkSync("/etc/hostname", join(root, "image/overlay2", folder, "tar-split.json.gz"));
    expect(obstacle(id)).toBe(lost);
    write(`${folder}/cache-id`, "../../..");
    expect(obstacle(id)).toBe(`layer ${one} has a cache-id that is none`);
    rmSync(join(root, "image/overlay2", folder), { recursive: true });
    expect(obstacle(id)).toBe(`layer ${one} is not there`);
  });
});

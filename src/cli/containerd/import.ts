import { connectContainerd, createLease } from "../../containerd/index.ts";
import { CleatError } from "../../errors/index.ts";
import { type DockerImage, type DockerImages, openDockerImages } from "../../layerstore/index.ts";
import { builtInFactories } from "../../selection/index.ts";
import { absolute } from "../serving/options/listen-options.ts";
import { defineCommand, type CommandOptions, orUsageError, UsageError } from "../terminal/command.ts";
import { defaultContainerdSocket } from "../terminal/default-folders.ts";
import { printable, printableJson } from "../terminal/printable.ts";
import { assertSnapshotter } from "./assert-snapshotter.ts";
import { toFullReference } from "./import/image-reference.ts";
import { importImage } from "./import/import-image.ts";
import { hasSnapshot } from "./import/import-layer.ts";
import {
  closingLines,
  describeLayer,
  imageLine,
  type ImageOutcome,
  layerLine,
  nameLine,
  toJson,
} from "./import/import-report.ts";
import type { ImportTarget } from "./import/import-target.ts";

const options = {
  containerd: {
    type: "string",
    value: "PATH",
    help: "containerd's own socket; default /run/containerd/containerd.sock",
  },
  namespace: { type: "string", value: "NAME", help: "containerd's namespace; default moby, which is Docker's" },
  snapshotter: { type: "string", value: "NAME", help: "what containerd's configuration calls it; default cleat" },
  driver: {
    type: "string",
    value: "NAME",
    help: "what Docker calls the driver that has the images; default the only one that has some",
  },
  home: { type: "string", value: "PATH", help: "where its layers are; default DOCKER_ROOT/NAME" },
  image: { type: "string", multiple: true, value: "NAME", help: "only this one, as docker images shows it: NAME:TAG" },
  unnamed: { type: "boolean", help: 'those without a name, too, which docker images shows as "<none>"' },
  "dry-run": { type: "boolean", help: "say what would be imported, and change nothing" },
  json: { type: "boolean", help: 'print one line of JSON at the end, {"version": 1, "images": [...]}' },
} as const satisfies CommandOptions;

export const importImages = defineCommand({
  details: [
    "The images of a Docker whose layers are on a graph driver (overlay2, or one of Cleat's) come into containerd:",
    "configuration, layers, names. Docker 28 and later show and run them like pulled ones, and they can be saved and",
    "pushed.",
    "",
    "DOCKER_ROOT is Docker's data root, /var/lib/docker, or with --userns-remap the folder in there that has image/.",
    "It is only read. Stop that Docker first: a data root in use is refused, as far as can be seen. containerd has to",
    "run, and cleat serve snapshotter.",
    "",
    "Each layer is made again as the archive it came as, checked against its digest, kept by containerd, and unpacked.",
    "The files that were unpacked share their blocks with those in DOCKER_ROOT where both lie on one file system that",
    "can (xfs with reflink, btrfs); else an image takes its size twice. What is in DOCKER_ROOT stays until you remove",
    "it. What is there already is not done again, so that an import that was interrupted can be called again, and goes",
    "on. What one has done is kept from containerd's collector for a day.",
    "",
    "Containers, volumes, networks and build cache are left out, and images without a name unless --unnamed is given:",
    "they get the one by which Docker knows such an image in containerd, moby-dangling@DIGEST. A name that containerd",
    "has already is left as it is. The exit code is 5 when an image is damaged or not whole; the others are imported.",
  ],
  options,
  async run(values, operands, context) {
    const { namespace = "moby", snapshotter = "cleat", driver } = values;
    const [root = ""] = operands;
    if (root === "" || namespace === "" || snapshotter === "") throw new UsageError("import takes no empty names");
    const socket = absolute("containerd", values.containerd ?? defaultContainerdSocket);
    const home = values.home === undefined ? undefined : absolute("home", values.home);
    await using images = orUsageError(() => openDockerImages({ root, drivers: builtInFactories, driver, home }));
    await images.assertAtRest();
    await using containerd = connectContainerd({ socket, namespace });
    const list = images.list();
    const takesUnnamed = values.unnamed === true;
    const named = chooseImages(list.images, values.image);
    const wanted = takesUnnamed ? [...named, ...list.unnamed] : named;
    const leftOut = takesUnnamed ? 0 : list.unnamed.length;
    const isDryRun = values["dry-run"] === true;
    const print = (line: string) => {
      if (values.json !== true) context.stdout.write(`${line}\n`);
    };
    await assertSnapshotter(containerd, snapshotter); // before hours are spent on archives
    const outcomes = isDryRun
      ? await lookAtAll({ containerd, snapshotter }, wanted, print)
      : await importAll({ containerd, snapshotter }, images, wanted, print);
    for (const line of closingLines(outcomes, { root, unnamed: leftOut, isDryRun })) print(line);
    if (values.json === true) context.stdout.write(`${printableJson(toJson(outcomes, leftOut, isDryRun))}\n`);
    return outcomes.some(({ obstacle }) => obstacle !== undefined) ? "findings" : "done";
  },
});

type Print = (line: string) => void;

/** @throws NOT_FOUND for a name that no image has. */
function chooseImages(images: readonly DockerImage[], names: readonly string[] | undefined): readonly DockerImage[] {
  if (names === undefined) return images;
  const known = new Set(images.flatMap((image) => image.names.map(toFullReference)));
  const wanted = new Set(names.map(toFullReference));
  const missing = [...wanted].find((name) => !known.has(name));
  if (missing !== undefined) throw new CleatError("NOT_FOUND", `there is no image ${JSON.stringify(missing)}`);
  const ofThose = (name: string) => wanted.has(toFullReference(name));
  return images
    .filter((image) => image.names.some(ofThose))
    .map((image) => ({ ...image, names: image.names.filter(ofThose) }));
}

/** For as long as what was brought waits for an image that refers to it, should this be killed. */
const leaseMs = 24 * 60 * 60 * 1000;

async function importAll(
  place: Omit<ImportTarget, "lease">,
  images: DockerImages,
  wanted: readonly DockerImage[],
  print: Print,
): Promise<ImageOutcome[]> {
  const { containerd } = place;
  const lease = await createLease(containerd, { expireMs: leaseMs });
  const outcomes: ImageOutcome[] = [];
  for (const image of wanted) outcomes.push(await importOne({ ...place, lease }, images, image, print));
  // An import that fails leaves the lease, with which the next one goes on.
  await containerd.services.leases.delete({ id: lease });
  return outcomes;
}

/** @throws what keeps others from being imported, too; a damaged image does not. */
async function importOne(
  target: ImportTarget,
  images: DockerImages,
  image: DockerImage,
  print: Print,
): Promise<ImageOutcome> {
  print(imageLine(image));
  const refuse = (obstacle: string): ImageOutcome => {
    print(`  not imported: ${printable(obstacle, 1000)}`);
    return { image, obstacle };
  };
  if (image.obstacle !== undefined) return refuse(image.obstacle);
  const { layers } = image;
  try {
    const imported = await importImage(target, images, image, (layer, at) => {
      print(layerLine(layers[at]?.diffId ?? "", at, layers.length, describeLayer(layer)));
    });
    for (const name of imported.names) print(nameLine(name));
    return { image, imported };
  } catch (error) {
    if (error instanceof CleatError && error.code === "DATA_LOSS") return refuse(error.message);
    throw error;
  }
}

/** Says which layers are there. */
async function lookAtAll(
  place: Omit<ImportTarget, "lease">,
  wanted: readonly DockerImage[],
  print: Print,
): Promise<ImageOutcome[]> {
  for (const image of wanted) {
    print(imageLine(image));
    if (image.obstacle !== undefined) print(`  could not be imported: ${printable(image.obstacle, 1000)}`);
    for (const [at, { diffId, chainId }] of image.layers.entries()) {
      const what = (await hasSnapshot(place, chainId)) ? "there already" : "would be imported";
      print(layerLine(diffId, at, image.layers.length, what));
    }
  }
  return wanted.map((image) => ({ image, obstacle: image.obstacle }));
}

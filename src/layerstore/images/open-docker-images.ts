import { realpathSync, statSync } from "node:fs";
import { CleatError, isSystemError, toCleatError, withSubject } from "../../errors/index.ts";
import type { GraphDriverFactory } from "../../graphdriver/index.ts";
import {
  assertNotOfAnother,
  nameText,
  namesIn,
  recognizeHome,
  type StoreJobs,
  withPathIfThere,
} from "../../graphdriver/kit.ts";
import { type SharedContent, withFolderAt } from "../../layer/index.ts";
import { createWorkerPool, type ModuleReference } from "../../workers/index.ts";
import { type DockerImageLayer, type DockerImageList, readDockerImages, tarSplitPath } from "./docker-images.ts";
import * as imageJobs from "./image-jobs.ts";

export interface OpenDockerImagesOptions {
  /** Docker's data root. */
  readonly root: string;
  readonly drivers: readonly GraphDriverFactory[];
  /** What Docker calls the driver, be it its own or a plugin; default the only one that keeps images there. */
  readonly driver?: string | undefined;
  /** The folder of the layers; default the one in the data root that is called as the driver is. */
  readonly home?: string | undefined;
}

/** The images in the data root of a Docker daemon that does not run. It is only read. */
export interface DockerImages extends AsyncDisposable {
  /** Absolute, symlinks resolved. */
  readonly root: string;
  /** As Docker calls it. */
  readonly driver: string;
  readonly home: string;
  /** Reads the records of all images. */
  list(): DockerImageList;
  /**
   * The archive of which a layer was made, not compressed; made as it is read. It has the digest `diffId` unless the
   * store is damaged, which whoever reads it checks.
   * @throws DATA_LOSS while it is read, when the layer or a file of it is gone, or changed.
   */
  archive(layer: DockerImageLayer): AsyncIterable<Uint8Array>;
  /**
   * Makes the files in a folder into which the layer's archive was unpacked share their blocks with those in the store,
   * where the file system can, and they are alike; nothing else changes, in neither.
   * @throws NOT_FOUND when there is no such folder.
   */
  share(layer: DockerImageLayer, folder: string): Promise<SharedContent>;
  /** @throws FAILED_PRECONDITION when a process has a file of the data root open, as a daemon that runs there has. */
  assertAtRest(): Promise<void>;
  /** Ends the threads. May be called twice. */
  close(): Promise<void>;
}

/**
 * Opens the images of a data root.
 * @throws NOT_FOUND when the folder is no data root, or keeps no images of that driver; INVALID_ARGUMENT when several
 * drivers keep some and none is named; UNIMPLEMENTED for a driver whose layers Cleat cannot read.
 */
export function openDockerImages({ root: given, drivers, ...options }: OpenDockerImagesOptions): DockerImages {
  const root = resolveFolder("data root", given);
  const driver = chooseDriver(root, options.driver);
  const home = resolveFolder("home", options.home ?? `${root}/${driver}`);
  const layout = recognizeHome(home) ?? driver;
  const jobs = drivers.find((factory) => factory.name === layout)?.store;
  if (jobs === undefined) throw new CleatError("UNIMPLEMENTED", `layers of driver "${layout}" cannot be read`);
  assertNotOfAnother(home, layout);
  return createDockerImages(root, driver, home, jobs);
}

const worker: ModuleReference<typeof imageJobs> = { url: imageJobs.moduleUrl };

function createDockerImages(
  root: string,
  driver: string,
  home: string,
  jobs: ModuleReference<StoreJobs>,
): DockerImages {
  const pool = createWorkerPool();

  const treeOf = async ({ id }: DockerImageLayer) => `${home}/${await pool.run(jobs, "layerTree", id)}`;

  async function* archive(layer: DockerImageLayer): AsyncGenerator<Uint8Array> {
    const tree = await treeOf(layer);
    const place = { tree, data: `${root}/${tarSplitPath(driver, layer)}` };
    try {
      yield* pool.produce((ring) => pool.run(worker, "sendArchive", place, ring));
    } catch (error) {
      throw asLoss(withSubject(error, `layer "${layer.id}"`));
    }
  }

  return {
    root,
    driver,
    home,
    list: () => withFolderAt(root, (folder) => readDockerImages(folder, driver)),
    archive,
    share: async (layer, folder) => pool.run(worker, "shareFiles", await treeOf(layer), folder),
    async assertAtRest() {
      const user = await pool.run(worker, "findUser", root);
      if (user === undefined) return;
      const holder = `process ${user.pid} (${user.command}) has ${JSON.stringify(user.path)} open`;
      throw new CleatError("FAILED_PRECONDITION", `data root "${root}" is in use: ${holder}; stop its Docker first`);
    },
    close: pool.close,
    [Symbol.asyncDispose]: pool.close,
  };
}

/** What the records name has to be there. */
function asLoss(error: CleatError): CleatError {
  return error.code === "NOT_FOUND" ? new CleatError("DATA_LOSS", error.message, { cause: error }) : error;
}

function chooseDriver(root: string, named: string | undefined): string {
  const found = withFolderAt(root, (folder) => {
    const all = namesIn(folder, "image").map(nameText);
    return all.filter((name) => withPathIfThere(folder, `image/${name}/imagedb`, () => true)).toSorted();
  });
  if (named !== undefined && found.includes(named)) return named;
  const [only, ...others] = found;
  if (only === undefined) throw new CleatError("NOT_FOUND", `folder "${root}" is no data root of Docker's with images`);
  const several = `data root "${root}" has images of ${found.join(", ")}`;
  if (named !== undefined) throw new CleatError("NOT_FOUND", `${several}, and none of "${named}"`);
  if (others.length > 0) throw new CleatError("INVALID_ARGUMENT", `${several}; say which driver is meant`);
  return only;
}

function resolveFolder(what: string, path: string): string {
  const subject = `${what} ${JSON.stringify(path)}`;
  try {
    if (statSync(path).isDirectory()) return realpathSync(path);
  } catch (error) {
    if (isSystemError(error, "ENOENT"))
      throw new CleatError("NOT_FOUND", `${subject} does not exist`, { cause: error });
    throw toCleatError(error, subject);
  }
  throw new CleatError("FAILED_PRECONDITION", `${subject} is not a folder`);
}

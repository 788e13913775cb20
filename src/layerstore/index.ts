/** Looking into the stores of drivers, and mending them. */
export { childrenByParent, type DescribedLayer, type OrphanReason, type StoreDescription } from "./describe-store.ts";
export { chainIdsOf } from "./chain-ids.ts";
export type { DockerImage, DockerImageLayer, DockerImageList } from "./images/docker-images.ts";
export { type DockerImages, openDockerImages, type OpenDockerImagesOptions } from "./images/open-docker-images.ts";
export {
  type LayerStore,
  openStore,
  type OpenStoreOptions,
  type RepairConsent,
  type StoreCheck,
} from "./open-store.ts";

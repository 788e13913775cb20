/** Looking into the stores of drivers, and mending them. */
export { childrenByParent, type DescribedLayer, type OrphanReason, type StoreDescription } from "./describe-store.ts";
export {
  type LayerStore,
  openStore,
  type OpenStoreOptions,
  type RepairConsent,
  type StoreCheck,
} from "./open-store.ts";

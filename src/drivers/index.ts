/** The graph drivers, and what a diagnosis asks of their needs. */
export { btrfs } from "./btrfs/btrfs.ts";
export { examineFuse, type FuseFindings } from "./fuse-overlayfs/fuse-findings.ts";
export { fuseOverlayfs } from "./fuse-overlayfs/fuse-overlayfs.ts";
export { overlay2 } from "./overlay2/overlay2.ts";
export { examineProjectQuotas } from "./overlay2/quota-findings.ts";
export { vfs } from "./vfs/vfs.ts";

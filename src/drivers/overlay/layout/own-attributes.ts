import type { OverlayPrefix } from "../../../layer/index.ts";
import { isInUserNamespace } from "../../../syscall/index.ts";

/**
 * The attributes in which this process can keep overlay's books: in a user namespace overlay is mounted with
 * `userxattr`.
 */
export function ownAttributePrefix(): OverlayPrefix {
  return isInUserNamespace() ? "user." : "trusted.";
}

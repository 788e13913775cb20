import { checksPage } from "./checks-page.mjs";
import { commandPage } from "./command-page.mjs";
import { protocolPages } from "./protocol-pages.mjs";
import { protocolSchemas } from "./protocol-schemas.mjs";

/** Every page that is made, with its path in the repository. */
export function madePages() {
  return [commandPage(), checksPage(), ...protocolPages(), ...protocolSchemas()];
}

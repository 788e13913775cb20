/** The checks of the kits for plugins, from the tables in the source. */
import { announcedName, protocols } from "#dist/protocol/index.js";
import {
  authzChecks,
  ipamDriverChecks,
  layerWireChecks,
  logDriverChecks,
  metricsCollectorChecks,
  networkDriverChecks,
  secretProviderChecks,
  volumeDriverChecks,
  wireChecksOf,
} from "#dist/testing/index.js";
import { formatMarkdownTable, madeBy } from "./markdown.mjs";

/** @returns {[path: string, text: string]} */
export function checksPage() {
  const generic = wireChecksOf([]);
  const sections = protocols
    .filter(({ name }) => name !== "Plugin")
    .map((protocol) => {
      const own = wireChecksOf([announcedName(protocol)]).slice(generic.length);
      return section(`Of ${protocol.name}`, "From the table of the protocol:", own);
    });
  const text = [
    "# The checks of `cleat check`",
    madeBy,
    "What each finds, where it comes from, and what an engine's user sees where it fails. How to run them is in",
    "[Checking a plugin](checking-plugins.md).",
    "",
    section("Of every plugin", "Whatever it implements:", generic),
    ...sections,
    ...Object.entries({
      "volume drivers": [volumeDriverChecks, "volumes"],
      "network drivers": [networkDriverChecks, "networks"],
      "IPAM drivers": [ipamDriverChecks, "pools and addresses"],
      "log drivers": [logDriverChecks, "logs"],
      "secret providers": [secretProviderChecks, "secrets"],
      "metrics collectors": [metricsCollectorChecks, "their metrics"],
    }).map(([who, [checks, what]]) =>
      section(`Of ${who}`, `What the contract promises, and what engines do with ${what}:`, checks),
    ),
    section(
      "Of graph drivers, on the wire",
      "With `--subsystem GraphDriver`, beside the kit for layers:",
      layerWireChecks,
    ),
    section("Of authorization plugins", "What engines ask, and that nobody gets round the policy:", authzChecks),
  ].join("\n");
  return ["docs/checks.md", text];
}

function section(title, lead, checks) {
  const rows = checks.map(({ id, title: what, symptom = "", source = "", advice, makes }) => [
    `\`${id}\``,
    `${what}${advice === true ? " (advice)" : ""}${makes === undefined ? "" : ` (makes ${makes})`}`,
    symptom,
    source,
  ]);
  return `## ${title}\n\n${lead}\n\n${formatMarkdownTable(["check", "the plugin …", "otherwise", "source"], rows)}\n`;
}

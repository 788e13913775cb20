import { assertPluginName } from "../../protocol/index.ts";
import { defineCommand, orUsageError } from "../terminal/command.ts";
import { absolute } from "./options/listen-options.ts";

export const configPodman = defineCommand({
  details: [
    "Prints what containers.conf has to say for Podman to find volumes that cleat serve volume serves; a file of its",
    "own beside it will do:",
    "",
    "  cleat config podman > /etc/containers/containers.conf.d/cleat.conf",
    "",
    "Podman waits 5 s for an answer. Where mounting takes longer it is asked once more, and the mount is there then;",
    "Podman 4.3 and later can be told to wait, by volume_plugin_timeout under [engine].",
  ],
  options: {
    name: { type: "string", value: "NAME", help: "as serve volume has it; default cleat" },
    socket: { type: "string", value: "PATH", help: "as serve volume has it; default /run/docker/plugins/NAME.sock" },
  },
  async run({ name = "cleat", socket = `/run/docker/plugins/${name}.sock` }, _operands, { stdout }) {
    orUsageError(() => assertPluginName(name));
    stdout.write(`[engine.volume_plugins]\n"${name}" = ${JSON.stringify(absolute("socket", socket))}\n`);
    return "done";
  },
});

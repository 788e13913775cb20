import { printableJson } from "../terminal/printable.ts";
import { defineCommand, UsageError } from "../terminal/command.ts";
import { defaultRoot } from "../terminal/default-folders.ts";
import { absolute } from "../serving/options/listen-options.ts";
import { parseSeconds } from "../terminal/seconds.ts";
import { formatDiagnosis } from "./diagnosis.ts";
import { examine } from "./examine.ts";

export const doctor = defineCommand({
  details: [
    "Changes nothing: overlays are mounted where no other process sees them, and write into memory. Of containerd and",
    "Docker, where they are installed, it prints whether they are configured for Cleat, and what to do where that is",
    "wrong.",
    "",
    "The exit code is 0 where a driver can be chosen, and 5 where an engine is configured for Cleat and wrongly so.",
  ],
  options: {
    home: { type: "string", value: "PATH", help: "the home that an engine names, or serve graph's --home" },
    root: {
      type: "string",
      value: "PATH",
      help: "a folder where each driver has a home, PATH/NAME, as a data root of Docker's",
    },
    containerd: { type: "string", value: "PATH", help: `containerd's socket; default /run/containerd/containerd.sock` },
    timeout: { type: "string", value: "SECONDS", help: "how long all of it may take; default 10" },
    json: { type: "boolean", help: "print one line of JSON" },
  },
  async run({ home, root, containerd, timeout = "10", json }, _operands, context) {
    if (home !== undefined && root !== undefined) throw new UsageError("--home and --root exclude each other");
    const place =
      root === undefined
        ? { home: home === undefined ? defaultRoot(context) : absolute("home", home) }
        : { root: absolute("root", root) };
    const diagnosis = await examine(place, parseSeconds("timeout", timeout));
    const { examineEngines } = await import("../containerd/diagnosis/examine-engines.ts");
    const address = containerd === undefined ? undefined : absolute("containerd", containerd);
    const engines = await examineEngines(context.env, address);
    const shown =
      json === true ? printableJson({ ...diagnosis, engines }) : formatDiagnosis(diagnosis, engines).join("\n");
    context.stdout.write(`${shown}\n`);
    const isWrong = engines.some(({ findings }) => findings.some(({ state }) => state === "wrong"));
    if (diagnosis.refusal === null) return isWrong ? "findings" : "done";
    context.stderr.write(`cleat: ${diagnosis.refusal.message}\n`);
    return "failed";
  },
});

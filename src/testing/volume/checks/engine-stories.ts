/** What engines really send, call by call, for what users do: as it was recorded (`test/golden`). */
import { volumeDriverProtocol } from "../../../protocol/index.ts";
import { assertFailureShape, assertSuccess } from "../../wire/answers.ts";
import { dialectsOf, type EngineDialect } from "../../wire/engine-dialects.ts";
import type { VolumeCheck, VolumeContext } from "../context.ts";
import { wire, wireOf } from "../needs.ts";

type MethodName = keyof typeof volumeDriverProtocol.methods;
/** A method, who asks for what beside the volume's name, and whether it has to be refused. */
type Step = readonly [method: MethodName | "activate", more?: object | "options", outcome?: "refused"];

interface Story {
  readonly id: string;
  readonly command: string;
  readonly docker: readonly Step[];
  readonly podman: readonly Step[];
}

const [first, second] = ["7ffe".padEnd(64, "0"), "6a63".padEnd(64, "1")];
/** Podman's, for every container. */
const only = "2f73".padEnd(64, "2");

const stories: readonly Story[] = [
  {
    id: "create-and-remove",
    command: "volume create, ls, inspect, rm",
    docker: [
      ["activate"],
      ["capabilities"],
      ["get", {}, "refused"],
      ["create", "options"],
      ["list"],
      ["get"],
      ["get"],
      ["remove"],
      ["get", {}, "refused"],
    ],
    podman: [
      ["activate"],
      ["get", {}, "refused"],
      ["create", "options"],
      ["activate"],
      ["list"],
      ["activate"],
      ["get"],
      ["remove"],
    ],
  },
  {
    id: "run",
    command: "run --rm -v NAME:/data, twice at the same time",
    docker: [
      ["get", {}, "refused"],
      ["create", "options"],
      ["get"],
      ["mount", { ID: first }],
      ["get"],
      ["get"],
      ["mount", { ID: second }],
      ["get"],
      ["unmount", { ID: second }],
      ["get"],
      ["unmount", { ID: first }],
      ["get"],
      ["get"],
      ["remove"],
    ],
    podman: [
      ["activate"],
      ["get", {}, "refused"],
      ["create", "options"],
      ["activate"],
      ["mount", { ID: only }],
      ["activate"],
      ["activate"],
      ["unmount", { ID: only }],
      ["activate"],
      ["get"],
      ["remove"],
    ],
  },
];

export const engineStoryChecks: readonly VolumeCheck[] = dialectsOf(volumeDriverProtocol).flatMap((dialect) =>
  stories.map((story): VolumeCheck => {
    const engine = dialect.id.startsWith("podman") ? "podman" : "docker";
    const versions = dialect.versions.join(", ");
    return {
      id: `engine/${dialect.id}-${story.id}`,
      title: `does what ${versions} want for ${engine} ${story.command}`,
      source: `${versions}, recorded (test/golden)`,
      symptom: `${engine} ${story.command} fails.`,
      makes: "volumes",
      needs: wire,
      run: (context) => tell(context, dialect, story[engine]),
    };
  }),
);

/** On one connection, as an engine keeps it. */
async function tell(context: VolumeContext, dialect: EngineDialect, steps: readonly Step[]): Promise<void> {
  const { peer, message, activate } = wireOf(context);
  const Name = context.newName();
  using connection = peer.openConnection();
  for (const [name, more = {}, outcome] of steps) {
    if (name === "activate") {
      await activate();
      continue;
    }
    const method = volumeDriverProtocol.methods[name];
    const given = more === "options" ? { Opts: context.options } : more;
    const takesNothing = name === "list" || name === "capabilities";
    const text = takesNothing ? dialect.noArguments : JSON.stringify({ Name, ...given });
    const answer = await connection.send(message(method.path, text && text + dialect.ending, dialect));
    if (name === "capabilities" && answer.status === 404) continue; // an old plugin
    if (outcome === "refused") assertFailureShape(method.path, answer, "a volume that is not there");
    else assertSuccess(method.path, answer, method.response);
  }
}

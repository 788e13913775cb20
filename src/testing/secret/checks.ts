/** All that the contract promises, and what swarms ask for. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { secretProviderProtocol } from "../../protocol/index.ts";
import { needsRestart, needsWire, wireOf } from "../driver-kit.ts";
import { assertRefused } from "../refusals.ts";
import { assertFailure } from "../wire/answers.ts";
import { dialectsOf } from "../wire/engine-dialects.ts";
import { tellStory } from "../wire/engine-story.ts";
import { knownOf, needsKnown, requestOf, type SecretCheck, type SecretContext } from "./context.ts";

const { getSecret } = secretProviderProtocol.methods;
const drivers = "moby v20.10.24 vendor/github.com/docker/swarmkit/manager/drivers/secrets.go";
/** Source: moby v20.10.24 vendor/github.com/docker/swarmkit/api/validation/secrets.go MaxSecretSize. */
const maxSecretBytes = 500 * 1024;
const needsBoth = (context: SecretContext) => needsRestart(context) ?? needsKnown(context);

export const secretProviderChecks: readonly SecretCheck[] = [
  {
    id: "secret/unknown",
    title: "refuses a secret that there is not",
    source: `${drivers} Get; recorded (test/golden)`,
    symptom: "A task starts with a password that nobody has set, where it should not start.",
    async run(context) {
      const name = `cleat-check-${randomUUID()}`;
      const codes = ["NOT_FOUND", "PERMISSION_DENIED"] as const;
      await assertRefused(context.provider.getSecret(name, requestOf(context)), codes, name, context.refusals);
    },
  },
  {
    id: "secret/names-that-leave",
    title: "gives no file of the host for a name with .. or a slash in it",
    source: "swarmkit manager/controlapi/common.go validateConfigOrSecretAnnotations, which refuses such names",
    advice: true,
    symptom: "None with Docker's swarms; who reaches the socket otherwise reads files of the host.",
    async run(context) {
      for (const path of ["/etc/passwd", "/etc/hosts"]) {
        const content = await readFile(path).catch(() => undefined);
        for (const name of [path, `../../../../../../..${path}`, `..//..//..//..//..//..${path}`]) {
          const secret = await context.provider.getSecret(name, requestOf(context)).catch(() => undefined);
          const isFile = secret !== undefined && content !== undefined && content.equals(Buffer.from(secret.value));
          ok(!isFile, `${JSON.stringify(name)} is answered with the file ${path}`);
        }
      }
    },
  },
  {
    id: "secret/value",
    title: "gives the same value each time, of less than 500 KiB and not empty",
    source: `${drivers}; swarmkit manager/dispatcher/assignments.go secret; api/validation ValidateSecretPayload`,
    symptom: "Tasks of one service have different passwords, or none start.",
    needs: needsKnown,
    async run(context) {
      const { name } = knownOf(context);
      const [first, second] = [await give(context, name), await give(context, name)];
      deepEqual(first, second);
      ok(first.length > 0 && first.length < maxSecretBytes, `the value has ${first.length} bytes`);
    },
  },
  {
    id: "secret/together",
    title: "gives it to 32 callers at once",
    source: "a service of 32 tasks, which are started together",
    symptom: "Of a service's tasks some do not start.",
    needs: needsKnown,
    async run(context) {
      const { name } = knownOf(context);
      const usual = await give(context, name);
      const all = await Promise.all(Array.from({ length: 32 }, () => give(context, name)));
      equal(all.filter((value) => !value.equals(usual)).length, 0, "some of 32 have another value");
    },
  },
  {
    id: "wire/empty-secret-request",
    title: "gives nothing to a request without a body",
    source: "moby v20.10.24 pkg/plugins/client.go callWithRetry: what it sends again has no body any more",
    symptom: "After a call whose answer was lost a task has another secret, or an empty one.",
    needs: needsWire,
    async run(context) {
      for (const body of ["", "{}"]) {
        assertFailure(getSecret.path, await wireOf(context).post(getSecret.path, body), "no name");
      }
    },
  },
  ...dialectsOf(secretProviderProtocol).map((dialect): SecretCheck => {
    const versions = dialect.versions.join(", ");
    return {
      id: `engine/${dialect.id}-service`,
      title: `does what ${versions} want for docker service create --secret`,
      source: `${versions}, recorded (test/golden)`,
      symptom: `docker service create --secret fails on ${versions}.`,
      needs: needsWire,
      run: (context) =>
        tellStory(wireOf(context), dialect, [
          { method: getSecret, request: () => serviceRequest(context), ...(!context.known && { outcome: "refused" }) },
          {
            method: getSecret,
            request: () => ({ ...serviceRequest(context), SecretName: "missing" }),
            outcome: "refused",
          },
        ]),
    };
  }),
  {
    id: "restart/value",
    title: "a plugin that is killed gives afterwards what it gave",
    source: "kill(2) SIGKILL",
    symptom: "After a crash or an update of the plugin tasks do not start, or have another password.",
    makes: "new processes of the plugin",
    needs: needsBoth,
    async run(context) {
      const { name } = knownOf(context);
      const before = await give(context, name);
      await context.killAndRestart?.();
      deepEqual(await give(context, name), before);
    },
  },
];

async function give(context: SecretContext, name: string): Promise<Buffer> {
  return Buffer.from((await context.provider.getSecret(name, requestOf(context))).value);
}

/** Fields that are empty are left out, as recorded. */
function serviceRequest({ known }: SecretContext): object {
  const { name = "cleat-check-nobody", labels, serviceLabels } = known ?? {};
  return {
    SecretName: name,
    ...(labels !== undefined && { SecretLabels: labels }),
    ServiceHostname: "h",
    ServiceID: "ilvz8i9rwx9046m5dc93d73th",
    ServiceName: "cleat-check",
    ...(serviceLabels !== undefined && { ServiceLabels: serviceLabels }),
    TaskID: "nwwuel9amfhy9tr4x53o2f53l",
    TaskName: "cleat-check.1.nwwuel9amfhy9tr4x53o2f53l",
    TaskImage: "small:latest",
    NodeID: "p13zjt7294rl4mb88zxhhjwn2",
    ServiceEndpointSpec: {},
  };
}

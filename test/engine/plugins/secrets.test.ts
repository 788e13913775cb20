/** Docker's swarm with secrets whose values are a plugin's: one of the examples. */
import { expect, test } from "vitest";
import { describeWith, needs, needsOf } from "../../needs.ts";
import { openEngine } from "../../harness/engines/engine.ts";
import { shellLayer, writeImageArchive } from "../../harness/images/image-archive.ts";
import { forky, machine, titleOf, trixie } from "../../harness/namespaces/release.ts";
import { builtinOverlay2, ofRelease } from "../../harness/engines/storage.ts";
import { startSecretFolder, startService, startSwarm } from "../../harness/engines/swarm.ts";
import { until } from "../../harness/processes/until.ts";

for (const release of [machine, trixie, forky]) {
  const required = [...needsOf(release, "docker"), needs.overlay, needs.busybox];
  describeWith(required, `secrets of ${titleOf(release, "docker")} from a plugin`, () => {
    test("a service has the values that are for it, also after the plugin was killed, and no others", async () => {
      await using engine = await openEngine(ofRelease(release, builtinOverlay2));
      const { docker, namespace } = engine;
      const vault = await startSecretFolder(namespace, "vault", { password: "correct horse", other: "staple" });
      const archive = `${namespace.folder}/small.tar`;
      await writeImageArchive(archive, "small", [shellLayer]);
      await docker("load", "--input", archive);
      await startSwarm(engine);
      for (const name of ["password", "other"]) await docker("secret", "create", "--driver=vault", name);

      const web = await startService(engine, "web", ["--label=secrets=password", "--secret=password"]);
      expect(await docker("exec", web, "cat", "/run/secrets/password")).toBe("correct horse");
      await vault.end("SIGKILL");
      await vault.start();
      const again = await startService(engine, "again", ["--label=secrets=other", "--secret=other"]);
      expect(await docker("exec", again, "cat", "/run/secrets/other")).toBe("staple");

      const refused = ["--label=secrets=password", "--secret=other", "small", "sleep", "3600"];
      await docker("service", "create", "--detach", "--name=nosy", ...refused);
      const states = async () => docker("service", "ps", "--no-trunc", "--format={{.CurrentState}} {{.Error}}", "nosy");
      const state = await until("the task to be rejected", async () =>
        /^(Rejected|Failed)/m.test(await states()) ? states() : undefined,
      );
      expect(state).not.toContain("staple");
      expect(await docker("ps", "--quiet", "--filter=name=nosy")).toBe("");
    });
  });
}

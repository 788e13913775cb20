/** What engines read of answers, and Cleat's own client would hide. */
import { ok } from "node:assert/strict";
import { dirname, resolve, sep } from "node:path";
import { z } from "zod";
import { goStruct, volumeDriverProtocol } from "../../../protocol/index.ts";
import { assertFailure, assertFailureShape, assertSuccess } from "../../wire/answers.ts";
import type { VolumeCheck, VolumeContext } from "../context.ts";
import { wire, wireOf } from "../needs.ts";

const { create, list, get, mount, remove, unmount } = volumeDriverProtocol.methods;
const makes = "volumes";

/** As Go reads a `time.Time`. Source: RFC 3339, 5.6; go1.19 time/format_rfc3339.go. */
const goTime = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
const strictVolume = goStruct({
  Name: z.string().min(1),
  Mountpoint: z.string().optional(),
  CreatedAt: goTime.optional(),
  Status: z.record(z.string(), z.unknown()).optional(),
});

export const wireAnswerChecks: readonly VolumeCheck[] = [
  {
    id: "wire/volumes-readable",
    title: "each volume of list and get is one that Go reads: a time of RFC 3339 or none, a Status that is an object",
    source: "moby v20.10.24 volume/drivers/adapter.go proxyVolume; go1.19 time.Time UnmarshalJSON",
    symptom: "docker volume ls and inspect fail for all volumes of the driver, because one cannot be read.",
    makes,
    needs: wire,
    async run(context) {
      const name = await context.create();
      const [listed, got] = [await post(context, list.path, {}), await post(context, get.path, { Name: name })];
      assertSuccess(list.path, listed, goStruct({ Volumes: z.array(strictVolume).default([]) }));
      assertSuccess(get.path, got, goStruct({ Volume: strictVolume }));
    },
  },
  {
    id: "wire/null-options",
    title: "create takes options that are null, or are not there",
    source: "recorded of docker-28.5.2 and podman-5.8.6 (test/golden): docker run -v NAME:, podman volume create NAME",
    symptom: "docker run -v new:/data fails, or ends the plugin, where docker volume create works.",
    makes,
    needs: (context) =>
      wire(context) ?? (Object.keys(context.options).length > 0 ? "volumes are made with options only" : undefined),
    async run(context) {
      for (const options of [{ Opts: null }, {}]) {
        const answer = await post(context, create.path, { Name: context.newName(), ...options });
        assertSuccess(create.path, answer, create.response);
      }
    },
  },
  {
    id: "wire/failures-readable",
    title: 'a failure is a status of 500 with {"Err":"why"}, whatever the method',
    source: "podman v4.3.1 libpod/plugin/volume_api.go handleErrorResponse: Err of a 200 is not looked at",
    symptom: `Podman takes the failure for success, or prints "unmarshalling JSON response" in place of the reason.`,
    needs: wire,
    async run(context) {
      const Name = context.newName();
      for (const { path } of [get, mount, remove]) {
        assertFailureShape(path, await post(context, path, { Name, ID: "c1" }), "a volume that is not there");
      }
    },
  },
  {
    id: "wire/names-that-leave",
    title: "a name with .. or a slash in it reaches nothing outside of the plugin's own volumes",
    source: "moby v20.10.24 volume/service/store.go, which checks the names of its own volumes only",
    symptom: "docker volume create NAME/../../etc and docker volume rm reach files of the host.",
    makes,
    needs: wire,
    async run(context) {
      const plain = await context.create();
      const home = dirname(await context.mount(plain, "c1"));
      for (const name of hostileNames(context.newName())) await assertConfined(context, name, home);
    },
  },
  {
    id: "wire/names-impossible",
    title: "a name with a NUL byte, or of 4,000 characters, does not end the plugin",
    source: "open(2): ENAMETOOLONG; NUL ends a path in C",
    symptom: "Any user of the engine's socket can end the plugin for everybody.",
    needs: wire,
    async run(context) {
      for (const Name of [`${context.newName()}\0x`, "a".repeat(4_000)]) {
        const answer = await post(context, get.path, { Name });
        assertFailure(get.path, answer, "a name that no file can have");
      }
      await wireOf(context).activate();
    },
  },
];

function hostileNames(name: string): readonly string[] {
  return [`../${name}`, `../../${name}`, `${name}/../../${name}-up`, `/tmp/${name}`];
}

/** Refused, or kept as any other volume; removed in the end. */
async function assertConfined(context: VolumeContext, Name: string, home: string): Promise<void> {
  const created = await post(context, create.path, { Name, Opts: context.options });
  if (created.status !== 200) return assertFailure(create.path, created, `name ${JSON.stringify(Name)}`);
  try {
    const mounted = await post(context, mount.path, { Name, ID: "c1" });
    if (mounted.status !== 200) return;
    const { Mountpoint } = assertSuccess(mount.path, mounted, mount.response);
    ok(resolve(Mountpoint).startsWith(home + sep), `${JSON.stringify(Name)} is at ${Mountpoint}, outside of ${home}`);
  } finally {
    await post(context, unmount.path, { Name, ID: "c1" });
    await post(context, remove.path, { Name });
  }
}

function post(context: VolumeContext, path: string, request: object) {
  return wireOf(context).post(path, `${JSON.stringify(request)}\n`);
}

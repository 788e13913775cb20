/** Archives on the wire, and the calls around them, as Docker sends them. */
import { equal, ok } from "node:assert/strict";
import { graphDriverProtocol } from "../../../protocol/index.ts";
import { buildArchive } from "../../archive/build-archive.ts";
import { file, folder } from "../../archive/entry.ts";
import { readArchive } from "../../archive/read-archive.ts";
import { assertFailureShape, assertSuccess } from "../../wire/answers.ts";
import { engineDialects } from "../../wire/engine-dialects.ts";
import { type StoryStep, tellStory } from "../../wire/engine-story.ts";
import type { WireAnswer } from "../../wire/plugin-peer.ts";
import type { LayerWireCheck, LayerWireContext } from "./context.ts";

const { create, createReadWrite, applyDiff, diff, get, put, changes, diffSize, remove, capabilities, status } =
  graphDriverProtocol.methods;
const proxy = "moby v20.10.24 daemon/graphdriver/proxy.go";
const makes = "layers in a home of their own";
const archive = buildArchive([folder("etc"), file("etc/name", "hello"), file("big", "x".repeat(20_000))]);
const sizeBytes = 20_005;

export const layerWireChecks: readonly LayerWireCheck[] = [
  {
    id: "layer-wire/upload",
    title: "takes an archive in pieces, with the layer in the query, and answers how many bytes its files have",
    source: `${proxy} ApplyDiff; recorded (test/golden)`,
    symptom: "docker pull and docker load fail, or docker images shows a size of 0.",
    makes,
    async run(context) {
      const id = await layer(context);
      const answer = await context.upload(id, "", archive);
      equal(assertSuccess(applyDiff.path, answer, applyDiff.response).Size, sizeBytes);
      assertFiles(await diffOf(context, id), ["big", "etc/", "etc/name"]);
    },
  },
  {
    id: "layer-wire/download",
    title: "answers a diff with nothing but an archive, end blocks included",
    source: `${proxy} Diff; recorded (test/golden)`,
    symptom: "docker commit, docker build and docker push make layers that nobody can unpack.",
    makes,
    async run(context) {
      const id = await layer(context);
      await context.upload(id, "", archive);
      const { body } = await diffOf(context, id);
      equal(body.length % 512, 0, `${body.length} bytes are no blocks of 512`);
      ok(
        body.subarray(-1024).every((byte) => byte === 0),
        "the archive has no end blocks",
      );
    },
  },
  {
    id: "layer-wire/upload-broken-off",
    title: "goes on after an archive that breaks off, whose layer can be removed and made again",
    source: `${proxy} ApplyDiff; docker pull, ended by Ctrl-C`,
    symptom: "After a docker pull that was broken off the image cannot be pulled again, or the plugin ends.",
    makes,
    async run(context) {
      const id = await layer(context);
      await context.upload(id, "", archive, { breakOffAfter: archive.length / 2 }).catch(() => {});
      await context.activate();
      await context.call(remove, { ID: id });
      await context.call(create, { ID: id });
      assertSuccess(applyDiff.path, await context.upload(id, "", archive), applyDiff.response);
      assertFiles(await diffOf(context, id), ["big", "etc/", "etc/name"]);
    },
  },
  {
    id: "layer-wire/upload-of-nothing",
    title: "refuses an archive of no bytes at all",
    source: "moby v20.10.24 pkg/plugins/client.go callWithRetry: an archive that is sent again has none left",
    advice: true,
    symptom: "Now and then a layer is empty, and the image that has it cannot be run.",
    makes,
    async run(context) {
      const id = await layer(context);
      assertFailureShape(applyDiff.path, await context.upload(id, "", Buffer.alloc(0)), "no bytes");
    },
  },
  {
    id: "layer-wire/upload-elsewhere",
    title: "refuses an archive for a layer that was not created",
    source: `${proxy} ApplyDiff`,
    symptom: "After a crash of the plugin docker pull succeeds, and the image's files are nowhere.",
    makes,
    async run(context) {
      const id = context.newId();
      assertFailureShape(applyDiff.path, await context.upload(id, "", archive), "an unknown layer");
    },
  },
  ...engineDialects
    .filter(({ protocols }) => protocols === undefined)
    .map((dialect): LayerWireCheck => {
      const versions = dialect.versions.filter((version) => !version.startsWith("docker-28")).join(", ");
      return {
        id: `engine/${dialect.id}-layers`,
        title: `does what ${versions} want for docker load, run, diff, commit and rmi`,
        source: `${versions}, recorded (test/golden)`,
        symptom: `docker run or docker commit fails on ${versions}.`,
        makes,
        async run(context) {
          const [image, start, container, commit] = [
            context.newId(),
            context.newId(),
            context.newId(),
            context.newId(),
          ];
          const own = { ...context, [Symbol.asyncDispose]: async () => {} };
          const tell = (steps: readonly StoryStep[]) => tellStory(own, dialect, steps);
          await tell([{ method: capabilities }, { method: status }, on(create, { ID: image })]);
          const filled = await context.upload(image, "", archive, { dialect });
          assertSuccess(applyDiff.path, filled, applyDiff.response);
          const container1 = { ID: container, Parent: start };
          await tell([
            on(createReadWrite, { ID: start, Parent: image }),
            on(get, { ID: start }),
            on(put, { ID: start }),
            on(createReadWrite, container1),
            on(get, { ID: container }),
            on(put, { ID: container }),
            on(get, { ID: container }),
            on(diffSize, container1),
            on(changes, container1),
            on(put, { ID: container }),
          ]);
          const { body } = await diffOf(context, container, start);
          await tell([on(create, { ID: commit, Parent: image })]);
          const committed = await context.upload(commit, image, body, { dialect });
          assertSuccess(applyDiff.path, committed, applyDiff.response);
          await tell([on(get, { ID: commit }), on(put, { ID: commit })]);
          await tell([container, start, commit, image].map((ID) => on(remove, { ID })));
        },
      };
    }),
];

const on = (method: StoryStep["method"], request: object): StoryStep => ({ method, request: () => request });

async function layer(context: LayerWireContext): Promise<string> {
  const id = context.newId();
  await context.call(create, { ID: id });
  return id;
}

function diffOf(context: LayerWireContext, ID: string, Parent = ""): Promise<WireAnswer> {
  return context.call(diff, { ID, Parent });
}

function assertFiles({ body }: WireAnswer, wanted: readonly string[]): void {
  const names = readArchive(body).map(({ header }) => Buffer.from(header.name).toString().replace(/^\.\//, ""));
  equal(names.toSorted().join(), wanted.join());
}

/** What a volume driver could get wrong, one thing each. */
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CleatError } from "../errors/index.ts";
import type { VolumeDriver } from "../volume/index.ts";
import type { Received, Wrongs } from "./faulty-plugin.test.support.ts";
import { cut, dying, type Fault, faultsOf, isOf, no } from "./planted-fault.test.support.ts";
import { engineDialects } from "./wire/engine-dialects.ts";

const { planted, answered } = faultsOf<VolumeDriver>();
type Plant = NonNullable<Wrongs<VolumeDriver>["driver"]>;

/** One at a time is right; the second of two at once is not. The first waits for it. */
const alone =
  (name: "create" | "mount"): Plant =>
  (right) => {
    let running = 0;
    let come = () => {};
    return {
      [name]: async (...args: never[]) => {
        if (++running > 1) {
          come();
          return busy();
        }
        await Promise.race([new Promise<void>((resolve) => (come = resolve)), delay(300)]);
        running = 0;
        return (right[name] as (...given: never[]) => Promise<unknown>)(...args);
      },
    };
  };
const busy = () => Promise.reject(new CleatError("UNAVAILABLE", "busy"));

export const volumeFaults: readonly Fault[] = [
  answered(
    "its scope is unheard of",
    (received) => (isOf(received, "Capabilities") ? [200, '{"Capabilities":{"Scope":"galaxy"}}'] : undefined),
    ["life/capabilities"],
  ),
  planted("list is empty", () => ({ list: async () => [] }), ["life/created"], cut),
  planted(
    "a second create is refused",
    (right) => ({
      async create(name, options) {
        if ((await right.list()).some((volume) => volume.name === name)) throw new CleatError("ALREADY_EXISTS", name);
        await right.create(name, options);
      },
    }),
    ["life/create-twice", "holders/created-together"],
  ),
  planted("remove does nothing", () => ({ remove: async () => {} }), ["life/removed"], cut),
  planted("get makes up what is not there", () => ({ get: async (name) => ({ name }) }), ["life/unknown"], cut),
  planted("any option is taken", (right) => ({ create: (name) => right.create(name) }), ["life/options-misspelt"]),
  planted(
    "list takes time for each volume",
    (right) => ({ list: async () => (await delay((await right.list()).length > 19 ? 400 : 0), right.list()) }),
    ["life/list-cheap"],
  ),
  planted(
    "path is elsewhere",
    (right) => ({ path: async (name) => `${await right.path(name)}-` }),
    ["holders/path"],
    cut,
  ),
  planted(
    "one holder gives back for all",
    (right) => {
      const holders = new Map<string, Set<string>>();
      return {
        mount: async (name, id) => (holders.set(name, (holders.get(name) ?? new Set()).add(id)), right.mount(name, id)),
        unmount: async (name) => {
          for (const id of holders.get(name) ?? []) await right.unmount(name, id);
        },
        path: async (name) => right.path(name),
      };
    },
    ["holders/two", "restart/after-unmount"],
    cut,
  ),
  planted("holders are counted", countingHolders, ["holders/same-twice"], cut),
  planted(
    "what does not hold may not give back",
    (right) => {
      const holders = new Set<string>();
      return {
        mount: async (name, id) => (holders.add(`${name} ${id}`), right.mount(name, id)),
        unmount: async (name, id) => {
          if (!holders.delete(`${name} ${id}`)) throw new CleatError("NOT_FOUND", `volume "${name}" is not held`);
          await right.unmount(name, id);
        },
      };
    },
    ["holders/stranger", "holders/given-back-twice"],
    cut,
  ),
  planted(
    "remove does not look who holds",
    (right) => ({ mount: async (name) => (await right.path(name)) ?? "" }),
    ["holders/two", "holders/remove-in-use"].concat(
      ["mount", "mount-of-another", "unmount"].map((step) => `restart/after-${step}`),
    ),
  ),
  planted(
    "what was mounted once is not again",
    (right) => {
      const gone = new Set<string>();
      return {
        unmount: async (name, id) => (gone.add(name), right.unmount(name, id)),
        mount: (name, id) => (gone.has(name) ? busy() : right.mount(name, id)),
      };
    },
    ["holders/again", "files/kept"],
    cut,
  ),
  planted("mounts side by side fail", alone("mount"), ["holders/together"]),
  planted("creates side by side fail", alone("create"), ["holders/created-together"]),
  planted(
    "what is mounted is a file",
    (right) => ({
      mount: async (name, id) => {
        const path = join(await right.mount(name, id), "file");
        await writeFile(path, "");
        return path;
      },
    }),
    ["files/folder"],
    cut,
  ),
  planted(
    "files go with the last holder",
    (right) => ({
      unmount: async (name, id) => {
        await right.unmount(name, id);
        const path = (await right.path(name)) ?? "";
        for (const file of await readdir(path)) await rm(join(path, file));
      },
    }),
    ["files/kept"],
  ),
  planted(
    "each holder has a folder",
    (right, root) => ({
      mount: async (name, id) => (
        await right.create(`${name}.${id}`),
        right.mount(name, id),
        join(root, `${name}.${id}`)
      ),
    }),
    ["files/seen-by-all"],
    cut,
  ),
  planted("all volumes are one folder", (_, root) => ({ mount: async () => root }), ["files/apart"], cut),
  planted(
    "files outlive their volume",
    (right, root) => ({ mount: async (name, id) => (await right.mount(name, id), root) }),
    ["files/empty-again"],
    cut,
  ),
  answered(
    "a time is not one of Go's",
    (received) => (isOf(received, "List") ? [200, '{"Volumes":[{"Name":"x","CreatedAt":"yesterday"}]}'] : undefined),
    ["wire/volumes-readable"],
    cut,
  ),
  answered("it trips over options that are null", ({ body }) => (body.includes(":null") ? no(500) : undefined), [
    "wire/null-options",
  ]),
  answered(
    "a failure is a success with Err",
    (received) => (isOf(received, "Get") ? no(200) : undefined),
    ["wire/failures-readable"],
    cut,
  ),
  answered(
    "a name with .. is a path",
    ({ path, body }) => {
      if (!body.includes("..")) return undefined;
      return [200, path.endsWith("Mount") ? '{"Mountpoint":"/etc"}' : "{}"];
    },
    ["wire/names-that-leave"],
  ),
  answered(
    "a NUL ends it",
    dying(({ body }) => body.includes(String.raw`\u0000`)),
    ["wire/names-impossible"],
    cut,
  ),
  ...engineDialects.flatMap(({ id, versions, headers }): Fault[] => {
    const isFrom = ({ headers: sent }: Received) => sent.host === headers["Host"] && sent["user-agent"] !== undefined;
    const fails = (method: string, ids: readonly string[], more?: Partial<Fault>) =>
      answered(
        `it fails ${versions[0]} at ${method}`,
        (received) => (isFrom(received) && isOf(received, method) ? no(500) : undefined),
        ids,
        more,
      );
    return [fails("List", [`engine/${id}-create-and-remove`], cut), fails("Unmount", [`engine/${id}-run`], cut)];
  }),
  {
    title: "another process knows nothing",
    wrongs: {},
    isForgetful: true,
    found: ["create", "mount", "mount-of-another", "unmount", "last-unmount"].map((step) => `restart/after-${step}`),
    leaves: false,
  },
  planted("another process knows what was removed", remembering(), ["restart/after-remove"]),
];

function countingHolders(right: VolumeDriver): Partial<VolumeDriver> {
  const holders = new Map<string, number>();
  return {
    mount: (name) => {
      holders.set(name, (holders.get(name) ?? 0) + 1);
      return right.mount(name, String(holders.get(name)));
    },
    unmount: async (name) => {
      await right.unmount(name, String(holders.get(name)));
      holders.set(name, (holders.get(name) ?? 0) - 1);
    },
  };
}

function remembering(): Plant {
  const removed: string[] = [];
  return (right) => {
    const known = [...removed];
    return {
      remove: async (name) => (removed.push(name), right.remove(name)),
      list: async () => [...(await right.list()), ...known.map((name) => ({ name }))],
    };
  };
}

/**
 * Types what the pages show, word for word, as root on a machine of its own with Debian testing's engines, and compares
 * what comes with what the page shows. `console engine` blocks are typed, in one shell for each page.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { cleatCommand } from "../harness/plugins/cleat.ts";
import { shellLayer, writeImageArchive } from "../harness/images/image-archive.ts";
import { type Namespace, openNamespace } from "../harness/namespaces/namespace.ts";
import { forky } from "../harness/namespaces/release.ts";
import { describeWith, needsOf } from "../needs.ts";
import { type Page, pages } from "../package/docs/pages.ts";

const typed = pages.filter(({ blocks }) => blocks.some(({ kind }) => kind === "console engine"));

describeWith(needsOf(forky, "docker"), "the pages on engines", () => {
  it.each(typed)("$path shows what one sees who types it", async (page) => {
    await using namespace = await openNamespace(forky);
    await furnish(namespace);
    const transcript = transcriptOf(page);
    const printed = await namespace.run(["bash", "-c", toScript(transcript, namespace)]);
    expect(withoutWhatVaries(Buffer.from(printed, "latin1").toString())).toBe(withoutWhatVaries(transcript));
  });
});

function transcriptOf({ blocks }: Page): string {
  return blocks
    .filter(({ kind }) => kind === "console engine")
    .map(({ text }) => text)
    .join("");
}

/** Data of engines is on a disk, and an image archive is where the reader is. */
async function furnish({ folder, run }: Namespace): Promise<void> {
  await mkdir(`${folder}/reader`);
  await writeFile(`${folder}/daemons.log`, "");
  await writeImageArchive(`${folder}/reader/busybox.tar`, "busybox", [shellLayer]);
  for (const engine of ["containerd", "docker", "cleat"]) {
    await mkdir(`${folder}/${engine}`);
    await run(["sh", "-c", 'mkdir -p "$1" && mount --bind "$0" "$1"', `${folder}/${engine}`, `/var/lib/${engine}`]);
  }
}

/**
 * There is no systemd in here: what it would do is done by a function of the shell. Both engines run when the reader
 * comes. What runs in other terminals logs to a file.
 */
function toScript(transcript: string, { folder, controlGroup }: Namespace): string {
  // A comment of a file that is shown begins like a command of root's: commands are known by their programs.
  const commands = [...transcript.matchAll(/^# ((?:npx|cat|ctr|docker|systemctl|tar|sed|dockerd)\b.*)$/gm)].map(
    ([, command = ""]) => command,
  );
  const lines = commands.flatMap((command) => [`printf '%s\\n' ${quoted(`# ${command}`)}`, command]);
  const log = `>>${folder}/daemons.log 2>&1`;
  const dockerd = `dockerd --bridge=none --iptables=false --ip-forward=false --cgroup-parent=${controlGroup}`;
  return `
exec 2>&1
cd ${folder}/reader
trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
cleat() { ${cleatCommand.join(" ")} "$@"; }
npx() {
  if [ "$2" != serve ]; then "$@"; return; fi
  "$@" >serving.txt 2>>${folder}/daemons.log &
  await grep -q '^  try' serving.txt
  cat serving.txt
}
await() {
  for try in $(seq 1200); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
  echo "in vain: $*"
  tail -20 ${folder}/daemons.log
}
end() {
  if [ ! -e /run/test-$1.pid ]; then return; fi
  kill $(cat /run/test-$1.pid)
  while kill -0 $(cat /run/test-$1.pid) 2>/dev/null; do sleep 0.1; done
  rm /run/test-$1.pid
}
systemctl() {
  end $2
  if [ $1 = stop ]; then return; fi
  if [ $2 = containerd ]; then containerd ${log} & else ${dockerd} ${log} & fi
  echo $! > /run/test-$2.pid
  if [ $2 = containerd ]; then await ctr version; else await docker version; fi
}
systemctl start containerd
systemctl start docker
${transcript.includes("cleat import") ? imagesOfDocker : ""}
${lines.join("\n")}
`;
}

/** What the reader has had before, where it is moved. */
const imagesOfDocker = `
{
  docker image load --input busybox.tar
  docker run --network none --name tools busybox:latest sh -c "busybox head -c 3000000 /dev/zero >tool"
  docker commit tools localhost/tools:1
  docker rm tools
  docker image rm busybox:latest
} >docker.txt
`;

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Digests, times and how long things take; releases of engines, which move. */
function withoutWhatVaries(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{64}/g, "DIGEST")
    .replaceAll(/sha256:[0-9a-f]{12}\b/g, "sha256:DIGEST")
    .replaceAll(/\b(?:\d\.\d\d MiB|0 B)/g, "SIZE")
    .replaceAll(/\b\d+\.\d+\.\d+(?:[+~]\S*?)?(?=[,\s]|$)/gm, "VERSION")
    .replaceAll(/\b\d+(?:\.\d+)?(?:ms|s)\b/g, "TIME")
    .replaceAll(/[ \t]+$/gm, "");
}

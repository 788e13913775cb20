import { expect, it } from "vitest";
import { formatUnits, graphDriverUnit, snapshotterUnit } from "./format-units.ts";

it.each([
  [["/usr/bin/node", "/opt/cleat/main.js", "--name", "a-b.c"], "/usr/bin/node /opt/cleat/main.js --name a-b.c"],
  [["/a b/node", '/50%/$x/"q"\\.js'], String.raw`"/a b/node" "/50%%/$$x/\"q\"\\.js"`],
  [["/é/node", ""], '"/é/node" ""'],
])("%j becomes words of systemd", (command, line) => {
  expect(formatUnits(graphDriverUnit("mine"), command)["cleat-mine.service"]).toContain(`\nExecStart=${line}\n`);
});

it("nothing gives the service mounts of its own, and stopping it leaves processes that hold mounts", () => {
  const { "cleat-mine.service": service = "", "cleat-mine.socket": socket = "" } = formatUnits(
    graphDriverUnit("mine"),
    ["/usr/bin/node"],
  );
  expect(service).not.toMatch(
    /^(?:Private|Protect|ReadWrite|ReadOnly|Inaccessible|Temporary|Root|Bind|Mount|Dynamic)/m,
  );
  expect(service).toMatch(/^KillMode=process$/m);
  expect(socket).toMatch(/^ListenStream=\/run\/docker\/plugins\/mine\.sock$/m);
});

it("those of a snapshotter start before containerd, and keep its socket to root", () => {
  const units = formatUnits(snapshotterUnit, ["/usr/bin/node"]);
  expect(Object.keys(units)).toEqual(["cleat-snapshotter.service", "cleat-snapshotter.socket"]);
  const { "cleat-snapshotter.service": service = "", "cleat-snapshotter.socket": socket = "" } = units;
  expect(service).toMatch(/^Before=containerd\.service$/m);
  expect(service).toMatch(/^KillMode=process$/m);
  expect(socket).toMatch(/^ListenStream=\/run\/cleat\/snapshotter\.sock$/m);
  expect(socket).toMatch(/^SocketMode=0600\nDirectoryMode=0700$/m);
});

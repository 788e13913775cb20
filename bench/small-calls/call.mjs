/**
 * `call.mjs SOCKET WARM-UP CALLS CALLERS BATCH`: as `go call` in `go/`, with Cleat's host, which looks before each
 * call whether the socket is still the one it has activated.
 */
import { dirname, basename } from "node:path";
import { createDiscovery, createRegistry } from "cleat/host";
import { volumeDriverProtocol } from "cleat/protocol";

const [socket = "", ...numbers] = process.argv.slice(2);
const [warmUp = 0, calls = 0, callers = 0, batch = 0] = numbers.map(Number);

const discovery = createDiscovery({ sockets: [dirname(socket)], specs: [] });
const registry = createRegistry({ discovery });
const { client } = await registry.get(basename(socket, ".sock"), volumeDriverProtocol);

for (let done = 0; done < warmUp; done++) await askPath();
const times = [];
for (let done = 0; done < calls; done++) {
  const start = performance.now();
  await askPath();
  times.push((performance.now() - start) * 1000);
}
times.sort((a, b) => a - b);
await callAtOnce(batch / 4); // opens the connections
const start = performance.now();
await callAtOnce(batch);
const callsPerSecond = (batch * 1000) / (performance.now() - start);
await registry.close();
console.log(JSON.stringify({ medianUs: times[calls >> 1], p99Us: times[Math.floor(calls * 0.99)], callsPerSecond }));

async function askPath() {
  const { Mountpoint } = await client.path({ Name: "volume" });
  if (Mountpoint !== "/mnt/volume") throw new Error(`answered ${Mountpoint}`);
}

function callAtOnce(count) {
  const caller = async () => {
    for (let done = 0; done < count / callers; done++) await askPath();
  };
  return Promise.all(Array.from({ length: callers }, caller));
}

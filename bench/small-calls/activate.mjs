/** `activate.mjs FOLDER ROUNDS`: as `go activate` in `go/`, with a new registry each time. */
import { createDiscovery, createRegistry } from "cleat/host";
import { volumeDriverProtocol } from "cleat/protocol";

const [folder = "", rounds = "0"] = process.argv.slice(2);
const discovery = createDiscovery({ sockets: [folder], specs: [] });
const times = [];
for (let round = 0; round < Number(rounds); round++) {
  const start = performance.now();
  const registry = createRegistry({ discovery });
  const { failures } = await registry.getAll(volumeDriverProtocol);
  times.push(performance.now() - start);
  await registry.close();
  if (failures.length > 0) throw failures[0].error;
}
times.shift(); // the first finds everything cold
times.sort((a, b) => a - b);
console.log(JSON.stringify({ medianMs: times[times.length >> 1] }));

import { kitOf, mainOf, type ProjectTemplate } from "../project-template.ts";

export const metricsTemplate: ProjectTemplate = {
  kind: "metrics",
  implements: "MetricsCollector",
  summary: "A metrics collector for Docker, as managed plugin. It begins with a file of the latest metrics.",
  page: "docs/protocols/metrics-collector.md",
  files: (name) => ({
    "src/driver.ts": driver(name),
    "src/main.ts": mainOf(name, {
      serve: ["createMetricsCollectorPlugin", "cleat/metrics"],
      open: "openCollector",
      given: "{ collector: driver }",
    }),
    "src/driver.test.ts": kitOf({
      checks: "metricsCollectorChecks",
      run: "runMetricsCollectorKit",
      open: "openCollector",
      given: "open: () => openCollector(folder, socket), socket",
      before: 'const socket = join(folder, "docker.sock"); // in place of Docker\'s\n',
    }),
  }),
};

const driver = (name: string) => `import { mkdir, rename, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { CleatError } from "cleat/errors";
import { type MetricsCollector, metricsSocket } from "cleat/metrics";

const intervalMs = 15_000;
const deadlineMs = 2_000;

/** The manual is at \`MetricsCollector\`. Only a managed plugin may be one: see \`cleat pack docker\`. */
export async function openCollector(folder: string, socket: string = metricsSocket): Promise<MetricsCollector> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, "docker.prom");
  let timer: NodeJS.Timeout | undefined;

  const collect = async () => {
    await writeFile(\`\${file}.new\`, await readMetrics(socket));
    await rename(\`\${file}.new\`, file); // whoever reads finds a whole one
  };
  const stop = async () => {
    clearInterval(timer);
    timer = undefined;
  };
  return {
    name: "${name}",
    async start() {
      await stop();
      await collect(); // so that Docker hears of it where that fails
      timer = setInterval(() => {
        collect().catch((error: unknown) => console.error(\`\${String(error)}; the file is the last one\`));
      }, intervalMs);
    },
    stop,
    close: stop,
  };
}

function readMetrics(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(
        new CleatError("UNAVAILABLE", \`metrics at "\${socketPath}" cannot be read: \${String(cause)}\`, { cause }),
      );
    const options = { socketPath, path: "/metrics", agent: false, signal: AbortSignal.timeout(deadlineMs) };
    const call = request(options, (response) => {
      if (response.statusCode === 200) text(response).then(resolve, fail);
      else fail(\`status \${response.statusCode}\`);
    });
    call.on("error", fail).end();
  });
}
`;

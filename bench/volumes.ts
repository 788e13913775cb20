import { serve } from "cleat/plugin";
import { createHttpTransport, silentLogger } from "cleat/transport";
import { createVolumeDriverFromPlugin, createVolumeDriverPlugin } from "cleat/volume";
import { openManagedVolumes, volumeTypes } from "cleat/volumedrivers";
import { openMemoryDisk } from "./measuring/memory-disk.ts";
import { median, type Measurement, timeMs } from "./measuring/measure.ts";

/** Made side by side, so that they share flushes. */
const madeAtOnce = 500;

/**
 * Folders without options, a tenth of them mounted: opened, and listed in process and as an engine lists
 * them; medians of `rounds`.
 */
export async function measureVolumes(count: number, rounds: number): Promise<readonly Measurement[]> {
  await using disk = await openMemoryDisk();
  const open = () =>
    openManagedVolumes({ name: "cleat", folder: `${disk.path}/volumes`, types: volumeTypes, defaultType: "local" });
  const first = await open();
  const names = Array.from({ length: count }, (_, index) => `volume-${index}`);
  for (let at = 0; at < count; at += madeAtOnce) {
    await Promise.all(names.slice(at, at + madeAtOnce).map((name) => first.create(name)));
  }
  for (const name of names.filter((_, index) => index % 10 === 0)) await first.mount(name, "container");
  await first.close();

  const opened: number[] = [];
  const listed: number[] = [];
  const asked: number[] = [];
  for (let round = 0; round < rounds; round++) {
    let driver = first;
    opened.push(await timeMs(async () => (driver = await open())));
    const unix = `${disk.path}/cleat.sock`;
    const plugin = createVolumeDriverPlugin({ driver, logger: silentLogger });
    const served = await serve({ drivers: [plugin], listen: { unix }, logger: silentLogger, handleSignals: false });
    const transport = createHttpTransport({ unix });
    const remote = await createVolumeDriverFromPlugin(transport, { name: "cleat" });
    for (let time = 0; time < 5; time++) {
      listed.push(await timeMs(() => driver.list()));
      asked.push(await timeMs(() => remote.list()));
    }
    await transport.close();
    await served.close();
  }
  const row = (name: string, cleat: number, max: number): Measurement => {
    return { name, unit: "ms", cleat, reference: undefined, limit: { max } };
  };
  const many = count.toLocaleString("en");
  return [
    row(`${many} volumes: start-up`, median(opened), 1_000),
    row(`${many} volumes: list`, median(listed), 50),
    row(`${many} volumes: list through a socket, and read`, median(asked), 150),
  ];
}

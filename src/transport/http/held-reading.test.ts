import { createServer, type IncomingMessage } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createHeldReading } from "./held-reading.ts";

it("is held until the last of those who hold it lets go", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cleat-held-"));
  const path = join(folder, "socket");
  let ask!: (request: IncomingMessage) => void;
  const asked = new Promise<IncomingMessage>((resolve) => (ask = resolve));
  const server = createServer((request) => ask(request));
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  const peer = connect(path);
  try {
    peer.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n");
    const request = await asked;
    const [first, second] = [1, 2].map(() => createHeldReading(request, () => {})!);
    first?.hold();
    second?.hold();
    first?.end();
    const come: string[] = [];
    request.on("data", (bytes: Buffer) => come.push(bytes.toString()));
    await new Promise<void>((resolve) => void peer.write("0123456789", () => resolve()));
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => void setImmediate(resolve));
    expect(come).toEqual([]);
    second?.end();
    await new Promise((resolve) => void request.once("end", resolve));
    expect(come.join("")).toBe("0123456789");
  } finally {
    peer.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  }
});

/** The driver of a plugin that somebody has activated and initialised already. */
import { expect, it } from "vitest";
import { graphDriverProtocol } from "../../protocol/index.ts";
import { createClient, type Transport } from "../../transport/index.ts";
import { createRemoteGraphDriver } from "./remote-driver.ts";

/** Answers what is asked of it with nothing, and writes it down. */
function createQuietPlugin(): { readonly transport: Transport; readonly asked: string[] } {
  const asked: string[] = [];
  const transport: Transport = {
    address: "test:",
    send: async ({ path }) => {
      asked.push(path);
      return { status: 200, body: Buffer.from('{"Dir":"/x"}') };
    },
    close: async () => {},
  };
  return { transport, asked };
}

it("asks for capabilities alone, and sends no Init", async () => {
  const { transport, asked } = createQuietPlugin();
  await using driver = await createRemoteGraphDriver(createClient(graphDriverProtocol, transport), { name: "theirs" });
  expect(driver.name).toBe("theirs");
  await driver.create("base");
  expect(await driver.get("base")).toBe("/x");
  expect(asked).toEqual(["/GraphDriver.Capabilities", "/GraphDriver.Create", "/GraphDriver.Get"]);
});

it("has neither files nor a list of layers to hand out, as the protocol has no such calls", async () => {
  const client = createClient(graphDriverProtocol, createQuietPlugin().transport);
  const driver = await createRemoteGraphDriver(client, { name: "theirs" });
  expect([driver.diffGetter, driver.list]).toEqual([undefined, undefined]);
});

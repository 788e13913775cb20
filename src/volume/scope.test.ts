import { expect, it } from "vitest";
import { createHandler, silentLogger } from "../transport/index.ts";
import { createVolumeDriverPlugin } from "./index.ts";
import { createMemoryVolumes } from "./memory-volumes.test.support.ts";

it("a scope that there is not is the driver's failure, and not Docker's to guess", async () => {
  const { driver } = createMemoryVolumes();
  const capabilities = async () => ({ scope: "Local" as "local" });
  const { service } = createVolumeDriverPlugin({ driver: { ...driver, capabilities } });
  const { signal } = new AbortController();
  const body = Buffer.from("{}");
  const wire = { path: "/VolumeDriver.Capabilities", query: {}, body, signal };
  const { status, body: answer } = await createHandler([service], { logger: silentLogger })(wire);
  expect([status, JSON.parse(String(answer))]).toMatchObject([500, { Code: "INTERNAL" }]);
  expect(String(answer)).toContain("has the scope");
});

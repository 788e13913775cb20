import type { Publisher } from "./publisher.ts";

export function createMountPublisher(): Publisher {
  throw new Error("to come");
}

import { expect, it } from "vitest";
import { inheritedSockets } from "./inherited-sockets.ts";

it.each([
  [{ LISTEN_PID: "7", LISTEN_FDS: "1" }, ["3 unknown"]],
  [{ LISTEN_PID: "7", LISTEN_FDS: "3", LISTEN_FDNAMES: "a:b.socket" }, ["3 a", "4 b.socket", "5 unknown"]],
  [{ LISTEN_PID: "7", LISTEN_FDS: "1", LISTEN_FDNAMES: "" }, ["3 unknown"]],
  [{ LISTEN_PID: "8", LISTEN_FDS: "1" }, []],
  [{ LISTEN_FDS: "1" }, []],
  [{ LISTEN_PID: "7" }, []],
  [{ LISTEN_PID: "7", LISTEN_FDS: "" }, []],
  [{ LISTEN_PID: "7", LISTEN_FDS: "-1" }, []],
  [{}, []],
])("sockets of %j are %j", (environment, sockets) => {
  const found = inheritedSockets(environment, 7).map(({ descriptor, name }) => `${descriptor} ${name}`);
  expect(found).toEqual(sockets);
});

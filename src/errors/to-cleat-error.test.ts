import { expect, it } from "vitest";
import { toCleatError } from "./to-cleat-error.ts";

const refusing = (): never => {
  throw new Error("not to be looked at");
};
const itself = new AggregateError([], "many");
itself.errors.push(itself);

it.each([
  ["a proxy that refuses", () => new Proxy({}, { get: refusing, getPrototypeOf: refusing })],
  ["a proxy that was revoked", () => revoked()],
  ["an error whose message fails", () => Object.defineProperty(new Error("x"), "message", { get: refusing })],
  ["an error whose name fails", () => Object.defineProperty(new Error("x"), "name", { get: refusing })],
  ["an error whose code fails", () => Object.defineProperty(new Error("x"), "code", { get: refusing })],
  ["failures of which one is the whole", () => itself],
  ["failures that are no list", () => Object.assign(new AggregateError([]), { errors: undefined })],
  ["a message that is not text", () => Object.assign(new Error("x"), { message: { a: 1 } })],
  ["a symbol", () => Symbol("s")],
  ["an object without a prototype", (): unknown => Object.create(null)],
  ["a function", () => () => 1],
])("gives %s a code and a text", (_, thrown) => {
  const error = toCleatError(thrown(), "subject");
  expect(error).toMatchObject({ name: "CleatError", code: expect.stringMatching(/^(UNKNOWN|INTERNAL)$/) as string });
  expect(error.message).toMatch(/^subject: ./);
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

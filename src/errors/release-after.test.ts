import { expect, it } from "vitest";
import { CleatError } from "./index.ts";
import { releaseAfter } from "./release-after.ts";

const failWith = (error: Error) => async (): Promise<never> => {
  throw error;
};
const [broken, stuck] = [new CleatError("NOT_FOUND", "disk is gone"), new Error("lock is stuck")];

it("releases in the end, and hands on what came of the work", async () => {
  const steps: string[] = [];
  const release = () => void steps.push("released");
  expect(await releaseAfter(async () => steps.push("worked"), release)).toBe(1);
  await expect(releaseAfter(failWith(broken), release)).rejects.toBe(broken);
  expect(steps).toEqual(["worked", "released", "released"]);
});

it("tells of the work's failure and of the release's, under the code of the work's", async () => {
  await expect(releaseAfter(async () => 1, failWith(stuck))).rejects.toBe(stuck);
  await expect(releaseAfter(failWith(broken), failWith(stuck))).rejects.toMatchObject({
    code: "NOT_FOUND",
    message: "disk is gone; what it held could not be released: lock is stuck",
    cause: { errors: [broken, stuck] },
  });
});

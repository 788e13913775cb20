/** Examines the place that its argument names as JSON, tells its parent, and ends. */
import { toCleatError } from "../../errors/index.ts";
import { builtInFactories, createDriverRegistry, diagnose, type StorePlace } from "../../selection/index.ts";
import type { ExaminationReply } from "./examine.ts";

const place = JSON.parse(process.argv[2] ?? "") as StorePlace;
const reply: ExaminationReply = await diagnose(place, createDriverRegistry(builtInFactories)).then(
  (diagnosis) => ({ diagnosis }),
  (error: unknown) => {
    const { code, message } = toCleatError(error);
    return { failed: { code, message } };
  },
);
process.send?.(reply);

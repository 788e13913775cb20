import { CleatError, quoteText } from "../../../errors/index.ts";
import type { CreateCall, ManagedVolume, SourceOptions, SourceVolume } from "../../managed/volume-backend.ts";

/** Who is made, and of whom. */
export interface MadeFrom extends Pick<ManagedVolume, "name" | "type">, Pick<CreateCall, "withVolume"> {
  readonly from: string;
}

/**
 * Runs `work` with the volume that another is made from; it is of the same type.
 * @throws NOT_FOUND when there is none, INVALID_ARGUMENT when it is of another type.
 */
export async function withSource(
  { name, type, from, withVolume }: MadeFrom,
  work: (source: SourceVolume) => Promise<void>,
  options?: SourceOptions,
): Promise<void> {
  // Nobody has its own turn twice.
  if (from === name) throw new CleatError("NOT_FOUND", `option "from": volume ${quoteText(from)} does not exist`);
  await withVolume(
    from,
    async (source) => {
      if (source.type === type) return work(source);
      const types = `of type ${quoteText(source.type ?? "")}, and this one of type ${quoteText(type ?? "")}`;
      throw new CleatError("INVALID_ARGUMENT", `option "from": volume ${quoteText(from)} is ${types}`);
    },
    options,
  );
}

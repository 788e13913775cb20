import { withSubject } from "../../errors/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import { quoteName } from "../names-and-labels.ts";

/**
 * What a storage says of a place, whose number is all that it knows, said of the snapshot. Why its caller has given up
 * is left as it is.
 */
export async function withSnapshot<T>(name: string, asked: Promise<T>, { signal }: CallOptions = {}): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw signal?.aborted === true ? error : withSubject(error, `snapshot ${quoteName(name)}`);
  }
}

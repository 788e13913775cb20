import type { Protocol, ServerImplementation, UploadCall } from "../../protocol/index.ts";

/** A protocol with an implementation: what a plugin offers. Made by `implement`. */
export interface Service {
  readonly protocol: Protocol;
  readonly implementation: Readonly<Record<string, AnyServerMethod | undefined>>;
}

/**
 * A method whose types were checked where it was implemented; the handler decodes its argument by the method's
 * schema.
 */
export type AnyServerMethod = (request: never, call: UploadCall) => Promise<unknown>;

/** Ties an implementation to its protocol; the compiler checks that each method is there and fits. */
export function implement<P extends Protocol>(protocol: P, implementation: ServerImplementation<P>): Service {
  return { protocol, implementation: implementation as unknown as Service["implementation"] };
}

/** What the generic checks may ask of a method, told from its row alone. */
import { z } from "zod";
import type { JsonMethod, Method, Protocol } from "../../protocol/index.ts";

/** Those that anybody may call at any time, with nothing: `List`, `Capabilities`. */
export function questionsOf(protocol: Protocol): readonly JsonMethod[] {
  return jsonMethods(protocol).filter((method) => method.safe === true && takesNothing(method));
}

/** Those that only ask, about something that has to be named: `Get`, `Exists`. */
export function lookUpsOf(protocol: Protocol): readonly JsonMethod[] {
  return jsonMethods(protocol).filter((method) => method.safe === true && !takesNothing(method));
}

/** Those of which a request that does not fit can do nothing, since they need arguments. A plugin need not have all. */
export function needyMethodsOf(protocol: Protocol): readonly Method[] {
  return Object.values(protocol.methods).filter((method) => method.framing !== "upload" && !takesNothing(method));
}

function jsonMethods({ methods }: Protocol): readonly JsonMethod[] {
  return Object.values(methods).filter((method) => method.framing === "json");
}

function takesNothing({ request }: Method): boolean {
  return z.safeDecode(request, {} as never).success;
}

/** Arguments that fit but for their subject, which nothing has. */
export function argumentsAbout({ subject }: Method, name: string): Record<string, string> {
  return subject === undefined ? {} : { [subject]: name };
}

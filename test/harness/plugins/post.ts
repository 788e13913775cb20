import { request, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { text } from "node:stream/consumers";

export interface Reply {
  readonly status: number | undefined;
  readonly body: unknown;
}

/** Calls a method of a plugin as somebody else than the engine would. */
export async function post(socketPath: string, path: string, body: object): Promise<Reply> {
  const call = request({ socketPath, path, method: "POST", agent: false });
  call.end(JSON.stringify(body));
  const [response] = (await once(call, "response")) as [IncomingMessage];
  return { status: response.statusCode, body: JSON.parse(await text(response)) as unknown };
}

import { connect } from "node:net";

export interface ApiCall {
  /** Default "POST". */
  readonly method?: string;
  /** Sent as it is written, not normalised. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** In chunks, without a length. */
  readonly chunked?: boolean;
}

/**
 * A call of Docker's API as no client of Docker's makes it. An engine that refuses may hang up on who still writes; its
 * answer counts. `message` is what it says of a failure.
 */
export async function callApi(
  socketPath: string,
  { method = "POST", path, headers = {}, body = "", chunked }: ApiCall,
) {
  const socket = connect(socketPath).on("error", () => {});
  let answer = "";
  socket.setEncoding("utf8").on("data", (text: string) => (answer += text));
  const length = chunked === true ? { "Transfer-Encoding": "chunked" } : { "Content-Length": Buffer.byteLength(body) };
  const fields = Object.entries({ Host: "docker", Connection: "close", ...length, ...headers });
  const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const content = chunked === true ? `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n` : body;
  socket.write(`${method} ${path} HTTP/1.1\r\n${head}\r\n${content}`); // at once: an engine may hang up after the head
  await new Promise((resolve) => socket.once("close", resolve));
  const [, status] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? [];
  const [, message = answer] = /\{"message":(".*")\}/.exec(answer) ?? [];
  return { status: Number(status), message };
}

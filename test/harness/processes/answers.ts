import { request } from "node:http";

/** Whether a server on a unix socket answers this request with 200. */
export function answers(socketPath: string, method: "GET" | "POST", path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request({ socketPath, path, method, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.once("error", () => resolve(false));
    call.end();
  });
}

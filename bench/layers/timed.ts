import { fork } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { runCommand } from "../../test/harness/processes/command.ts";

/** How long something took, and the processor time of all that did it. */
export interface Times {
  readonly wallMs: number;
  readonly processorMs: number;
}

/** Of a command line of bash, and of all that it starts. */
export async function timeCommand(line: string): Promise<Times> {
  const printed = await runCommand([
    "bash",
    "-c",
    `TIMEFORMAT='%R %U %S'; { time { ${line}; } >&3; } 3>/dev/null 2>&1`,
  ]);
  const [wall = 0, user = 0, system = 0] = printed.trim().split("\n").at(-1)!.split(" ").map(Number);
  return { wallMs: wall * 1000, processorMs: (user + system) * 1000 };
}

type Task =
  | { readonly task: "create" | "diff" | "stream" | "remove"; readonly id: string }
  | { readonly task: "apply"; readonly id: string; readonly archive: string };

/** A driver in a process of its own (`driver.mjs`). Disposing closes it. */
export async function startDriver(home: string, durability: "none" | "layer") {
  const child = fork(resolve("bench/layers/driver.mjs"), [home, durability]);
  const ended = once(child, "exit").then(() => {
    throw new Error("the process with the driver has ended");
  });
  ended.catch(() => {}); // whoever asks meanwhile hears of it
  const run = async (task: Task | { readonly task: "close" }): Promise<Times> => {
    const answered = once(child, "message");
    child.send(task);
    const [times] = (await Promise.race([answered, ended])) as [Times];
    return times;
  };
  return {
    run: (task: Task) => run(task),
    async [Symbol.asyncDispose]() {
      await run({ task: "close" });
      await ended.catch(() => {});
    },
  };
}

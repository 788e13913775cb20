/** Running other programs so that none of them, nor a file system behind one, can hold up a thread for good. */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { posix } from "node:path";
import { CleatError } from "../../errors/index.ts";

export interface ProgramOptions {
  readonly cwd?: string;
  readonly deadlineMs: number;
}

export interface ProgramOutcome {
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  /** What it wrote to its standard error, in one line; "exit code 1" and the like where that is nothing. */
  readonly said: string;
}

/** What is kept of each stream. */
const maxOutputBytes = 16 * 1024;

/**
 * Runs a program to its end. One that is not done in time is killed and not waited for: a process that waits for a hung
 * file system may not even die.
 * @throws DEADLINE_EXCEEDED, NOT_FOUND when there is no such program.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  { cwd = "/", deadlineMs }: ProgramOptions,
): Promise<ProgramOutcome> {
  const child = spawn(program, args, { cwd, env: environment(), stdio: ["ignore", "pipe", "pipe"] });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(tooLate(program, deadlineMs, oneLine(stderr()))), deadlineMs);
      child.on("error", (error) => reject(cannotRun(program, error)));
      child.on("close", (code, signal) => {
        const said = oneLine(stderr()) || (signal === null ? `exit code ${code}` : `ended by ${signal}`);
        resolve({ exitCode: code ?? undefined, stdout: stdout(), said });
      });
    });
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/**
 * Messages in English, so that errors read alike everywhere; nothing else of ours reaches a process that outlives us.
 */
function environment(): NodeJS.ProcessEnv {
  return { PATH: searchPath(), LC_ALL: "C" };
}

export function searchPath(): string {
  return process.env["PATH"] ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/** The path of a program, as a shell would find it. */
export function findProgram(name: string): string | undefined {
  return searchPath()
    .split(":")
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => posix.join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    if (text.length < maxOutputBytes) text += chunk.slice(0, maxOutputBytes - text.length);
  });
  return () => text;
}

function tooLate(program: string, deadlineMs: number, said: string): CleatError {
  const what = `was not done after ${deadlineMs} ms${said === "" ? "" : `: ${said}`}`;
  return new CleatError("DEADLINE_EXCEEDED", `program "${program}" ${what}`);
}

function cannotRun(program: string, error: Error): CleatError {
  const code = "code" in error && error.code === "ENOENT" ? "NOT_FOUND" : "FAILED_PRECONDITION";
  return new CleatError(code, `program "${program}" cannot be run: ${error.message}`, { cause: error });
}

function oneLine(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "").join("; ");
}

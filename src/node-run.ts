import { spawn } from "node:child_process";
import type { Ran, RunOptions } from "./ports.ts";

const MOST_OUTPUT = 1024 * 1024;
const DRAIN_MS = 1000;

/** Runs a program; when its time is over it is killed, or asked to end. Of each stream the first MiB is kept. */
export function runProgram(
  program: string,
  argv: readonly string[],
  { timeoutMs, input, cwd, env, gently = false }: RunOptions,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, {
      stdio: "pipe",
      shell: false,
      windowsHide: true,
      // The terminal sends Ctrl-C to its foreground group: this keeps the program out of it.
      detached: gently,
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env: { ...env } }),
    });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    const settle = () => {
      clearTimeout(timer);
      // A grandchild may hold the pipes open for ever: they must not keep this process alive.
      for (const stream of child.stdio) stream?.destroy();
    };
    const finish = (code: number | null) => {
      settle();
      resolve({ code, stdout: stdout(), stderr: stderr() });
    };
    const timer = setTimeout(() => {
      if (child.exitCode !== null || child.signalCode !== null) return finish(child.exitCode);
      if (gently) return void child.kill("SIGTERM");
      child.kill("SIGKILL");
      settle();
      reject(tooSlow(program, timeoutMs));
    }, timeoutMs);

    child.on("error", (error) => {
      settle();
      reject(error);
    });
    child.on("close", finish);
    if (gently) {
      // What it has started may hold its streams open; its own words have come by then.
      child.on("exit", (code) => setTimeout(finish, DRAIN_MS, code).unref());
    }
    child.stdin.on("error", () => {}); // a program need not read what it is given
    child.stdin.end(input);
  });
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on("data", (chunk: Buffer) => {
    if (length < MOST_OUTPUT) chunks.push(chunk.subarray(0, MOST_OUTPUT - length));
    length += chunk.length;
  });
  return () => Buffer.concat(chunks).toString("utf8");
}

function tooSlow(program: string, timeoutMs: number): Error {
  const text = `ETIMEDOUT: ${program} took longer than ${timeoutMs} ms`;
  return Object.assign(new Error(text), { code: "ETIMEDOUT" });
}

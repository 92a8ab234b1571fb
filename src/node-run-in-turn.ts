import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Readable } from "node:stream";
import type { Ran } from "./ports.ts";

/** Longer than a program takes that waits for nothing. */
const PATIENCE_MS = 300;
const MOST_OUTPUT = 1024 * 1024;
/** What a shell says of a program that is missing, or is none. */
const NOT_STARTED = new Set([126, 127]);

/**
 * Runs a program once for each list of arguments, one after the other, from one small shell: a process as large as this
 * one pays more to start another than `ssh -G` takes. Every run has an end of its own; `undefined` where it is not known,
 * because that run, or one before it, waits for something or could not be started.
 */
export function runInTurn(
  program: string,
  argvs: readonly (readonly string[])[],
): Promise<Ran | undefined>[] {
  const waiting: ((ran: Ran | undefined) => void)[] = [];
  const runs = argvs.map(
    () => new Promise<Ran | undefined>((resolve) => void waiting.push(resolve)),
  );
  // Its own session, so that all of it can be ended.
  const shell = spawn("/bin/sh", ["-s"], { stdio: "pipe", detached: true });
  const stop = (): void => {
    clearTimeout(timer);
    if (waiting.length > 0 && shell.pid !== undefined) endGroup(shell.pid);
    for (const resolve of waiting.splice(0)) resolve(undefined);
    for (const stream of shell.stdio) stream?.destroy();
  };
  let isSilent = false;
  const timer = setTimeout(() => {
    // What has come while this process was busy is read first.
    isSilent = true;
    setImmediate(() => isSilent && stop());
  }, PATIENCE_MS);

  const mark = randomBytes(16).toString("hex");
  const settle = (): void => {
    while (stdout.ends.length > 0 && stderr.ends.length > 0) {
      const { code, text } = stdout.ends.shift()!;
      const ran = { code, stdout: text, stderr: stderr.ends.shift()!.text };
      waiting.shift()?.(NOT_STARTED.has(code) ? undefined : ran);
      isSilent = false;
      timer.refresh();
    }
    if (waiting.length === 0 || stdout.isTooLong || stderr.isTooLong) stop();
  };
  const stdout = cut(shell.stdout, mark, settle);
  const stderr = cut(shell.stderr, mark, settle);
  shell.on("error", stop);
  shell.on("close", stop);
  shell.stdin.on("error", () => {}); // its end says more
  shell.stdin.end(renderScript(program, argvs, mark));
  return runs;
}

/** Each run ends with a line that nobody can guess, on both streams. */
function renderScript(program: string, argvs: readonly (readonly string[])[], mark: string) {
  const tell = `printf '\\n${mark} %s\\n' $code`;
  const run = `run() { command ${quote(program)} "$@" </dev/null; code=$?; ${tell}; ${tell} >&2; }`;
  return [run, ...argvs.map((argv) => `run ${argv.map(quote).join(" ")}`), ""].join("\n");
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

interface Cut {
  /** What the runs that have ended said, and their statuses. */
  readonly ends: { readonly text: string; readonly code: number }[];
  isTooLong: boolean;
}

function cut(stream: Readable, mark: string, onEnd: () => void): Cut {
  const found: Cut = { ends: [], isTooLong: false };
  const end = new RegExp(`\\n${mark} (\\d+)\\n`);
  let rest = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    rest += chunk;
    for (let match = end.exec(rest); match !== null; match = end.exec(rest)) {
      found.ends.push({ text: rest.slice(0, match.index), code: Number(match[1]) });
      rest = rest.slice(match.index + match[0].length);
    }
    found.isTooLong = rest.length > MOST_OUTPUT;
    onEnd();
  });
  return found;
}

function endGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

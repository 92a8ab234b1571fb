import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A command to time: program, arguments and what it needs around it. */
export interface Command {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Done before each run and not timed. */
  readonly prepare?: () => void;
  /** Done after each run and not timed. Rejects when the run has not done its job: it does not count then. */
  readonly verify?: () => Promise<void>;
}

/** Milliseconds over all rounds. */
export interface Timing {
  readonly name: string;
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * Times commands in turn, A B A B…, so that a busy moment hits all alike. One round is not counted. A command that does
 * not end with 0, or has not done its job, ends the bench: a figure of a failed run means nothing.
 */
export async function timeInTurn(commands: readonly Command[], rounds: number): Promise<Timing[]> {
  const times = commands.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, command] of commands.entries()) {
      command.prepare?.();
      const startedAt = performance.now();
      await runToEnd(command);
      const elapsedMs = performance.now() - startedAt;
      await command.verify?.();
      if (round > 0) times[i]?.push(elapsedMs);
    }
  }
  return commands.map(({ name }, i) => {
    const sorted = (times[i] ?? []).toSorted((a, b) => a - b);
    return {
      name,
      medianMs: sorted[Math.floor(sorted.length / 2)] ?? 0,
      minMs: sorted[0] ?? 0,
      maxMs: sorted.at(-1) ?? 0,
    };
  });
}

/** Runs a command; resolves with what it printed. Rejects unless it ends with 0. */
export async function runToEnd({ name, argv, cwd, env, input }: Command): Promise<string> {
  const [program, ...rest] = argv;
  const folder = mkdtempSync(join(tmpdir(), "sync-creds-said-"));
  const file = join(folder, "said");
  // Into a file: whoever reads a pipe wakes up for every line, and on two cores that is time of whoever prints lines.
  const said = openSync(file, "w");
  try {
    const child = spawn(program, rest, { cwd, env, stdio: ["pipe", said, said] });
    child.stdin!.on("error", () => undefined); // it may end before it has read all
    child.stdin!.end(input ?? "");
    const [code] = (await once(child, "close")) as [number | null];
    const text = readFileSync(file, "utf8");
    if (code === 0) return text;
    throw new Error(`${name} ended with ${code}: ${text}`);
  } finally {
    closeSync(said);
    rmSync(folder, { recursive: true });
  }
}

/** The peak of a Node program's resident memory in one run, in MiB. */
export async function measurePeakMiB(command: Command): Promise<number> {
  const [program, ...rest] = command.argv;
  const script =
    "import{writeSync}from'node:fs';process.on('exit',()=>writeSync(2,'peak '+process.resourceUsage().maxRSS))";
  const module = `data:text/javascript,${encodeURIComponent(script)}`;
  command.prepare?.();
  const said = await runToEnd({ ...command, argv: [program, "--import", module, ...rest] });
  await command.verify?.();
  return Number(/peak (\d+)/.exec(said)?.[1]) / 1024;
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

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

/** How often a command may crash in one turn. */
const MAX_CRASHES = 3;

/**
 * Times commands in turn, A B A B…, so that a busy moment hits all alike. One round is not counted. A command that does
 * not end with 0, or has not done its job, ends the bench: a figure of a failed run means nothing. One that crashes has
 * its turn again.
 */
export async function timeInTurn(commands: readonly Command[], rounds: number): Promise<Timing[]> {
  const times = commands.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, command] of commands.entries()) {
      const elapsedMs = await timeOnce(command);
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

async function timeOnce(command: Command): Promise<number> {
  for (let crashes = 0; ;) {
    command.prepare?.();
    const startedAt = performance.now();
    try {
      await runToEnd(command);
    } catch (error) {
      // Fabric's threads outlive OpenSSL at the end of its process now and then: SIGSEGV, after the job.
      if (!(error instanceof Crash) || ++crashes > MAX_CRASHES) throw error;
      console.log(`${error.message}, and has its turn again`);
      continue;
    }
    const elapsedMs = performance.now() - startedAt;
    await command.verify?.();
    await untilQuiet();
    return elapsedMs;
  }
}

/** A command's servers end after it. Waits, for two seconds at most, until nobody has work: it is not the next one's. */
async function untilQuiet(): Promise<void> {
  for (let looks = 0, calm = 0; looks < 100 && calm < 3; looks++) {
    await sleep(20);
    const running = Number(/ (\d+)\/\d+ /.exec(readFileSync("/proc/loadavg", "utf8"))?.[1]);
    calm = running <= 1 ? calm + 1 : 0;
  }
}

/** A signal has ended a command: SIGSEGV, SIGABRT… */
class Crash extends Error {}

/** Runs a command; resolves with what it printed. Rejects unless it ends with 0; with a `Crash` when a signal has ended it. */
export async function runToEnd(
  { name, argv, cwd, env, input }: Command,
  onStart: (pid: number) => void = () => {},
): Promise<string> {
  const [program, ...rest] = argv;
  const folder = mkdtempSync(join(tmpdir(), "sync-creds-said-"));
  const file = join(folder, "said");
  // Into a file: whoever reads a pipe wakes up for every line, and on two cores that is time of whoever prints lines.
  const said = openSync(file, "w");
  try {
    const child = spawn(program, rest, { cwd, env, stdio: ["pipe", said, said] });
    if (child.pid !== undefined) onStart(child.pid);
    child.stdin!.on("error", () => undefined); // it may end before it has read all
    child.stdin!.end(input ?? "");
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    const text = readFileSync(file, "utf8");
    if (code === 0) return text;
    if (signal !== null) throw new Crash(`${name} was ended by ${signal} ${text}`.trimEnd());
    throw new Error(`${name} ended with ${code}: ${text}`);
  } finally {
    closeSync(said);
    rmSync(folder, { recursive: true });
  }
}

/** The peak of a program's resident memory in one run, in MiB, as Linux keeps it: looked at until the program ends. */
export async function measurePeakMiB(command: Command): Promise<number> {
  command.prepare?.();
  let peakKiB = 0;
  let looking: NodeJS.Timeout | undefined;
  await runToEnd(command, (pid) => {
    looking = setInterval(() => (peakKiB = peakKiBOf(pid) ?? peakKiB), 10);
  }).finally(() => clearInterval(looking));
  await command.verify?.();
  if (peakKiB === 0) throw new Error(`${command.name} ended before its memory could be seen`);
  return peakKiB / 1024;
}

/** Nothing for a process that has ended. */
function peakKiBOf(pid: number): number | undefined {
  try {
    const [, kiB] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return kiB === undefined ? undefined : Number(kiB);
  } catch {
    return undefined;
  }
}

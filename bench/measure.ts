import { spawn } from "node:child_process";

/** A command to time: program, arguments and what it needs around it. */
export interface Command {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Done before each run and not timed. */
  readonly prepare?: () => void;
}

export interface Timing {
  readonly name: string;
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * Times commands in turn, A B A B…, so that a busy moment hits all alike. One round is not counted. A command that does
 * not end with 0 ends the bench: a figure of a failed run means nothing.
 */
export async function timeInTurn(commands: readonly Command[], rounds: number): Promise<Timing[]> {
  const times = commands.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, command] of commands.entries()) {
      command.prepare?.();
      const startedAt = performance.now();
      await runToEnd(command);
      if (round > 0) times[i]?.push(performance.now() - startedAt);
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
export function runToEnd({ name, argv, cwd, env, input }: Command): Promise<string> {
  const [program, ...rest] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(said) : reject(new Error(`${name} ended with ${code}: ${said}`)),
    );
    child.stdin.end(input ?? "");
  });
}

/** One line of a table: a command against its floor, and the ratio that it is held to. */
export function renderRow(timing: Timing, floor: Timing, target?: number): string {
  const ratio = timing.medianMs / floor.medianMs;
  const mark =
    target === undefined
      ? ""
      : `target ${target.toFixed(2)}  ${ratio <= target ? "met" : "MISSED"}`;
  const range = `${timing.minMs.toFixed(0)}-${timing.maxMs.toFixed(0)}`;
  return `${timing.name.padEnd(34)}${timing.medianMs.toFixed(0).padStart(7)} ms  ${range.padStart(11)}  ${ratio.toFixed(2).padStart(6)}  ${mark}`;
}

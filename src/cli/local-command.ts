import { SyncCredsError, toSyncCredsError } from "../errors.ts";
import { nodePorts } from "../node-ports.ts";
import { renderError } from "../output/error-message.ts";
import { renderJsonResult } from "../output/report.ts";
import { paintFor } from "../output/terminal.ts";
import type { Terminal } from "../output/terminal.ts";
import type { Ports } from "../ports.ts";
import { openHuman } from "./prompts.ts";

/** The options that every command takes that is about this laptop only. */
export interface LocalOptions {
  readonly json?: boolean;
  readonly verbose?: boolean;
  /** False with `--no-input`. */
  readonly input?: boolean;
}

/** What such a command acts in. */
export interface LocalWorld {
  readonly ports: Ports;
  readonly terminal: Terminal;
  /** All of stdin, at most 16 MiB. Errors: `INPUT_NEEDED` with that advice when it is a terminal; `USAGE` beyond that size. */
  readonly readInput: (advice: string) => Promise<string>;
}

/** Runs a command that pushes nothing; resolves with the exit status. Never rejects. */
export async function runLocally(
  options: LocalOptions,
  terminal: Terminal,
  command: (world: LocalWorld) => Promise<number>,
): Promise<number> {
  const mayAsk =
    options.input !== false &&
    options.json !== true &&
    process.stdin.isTTY &&
    terminal.stderr.isTTY === true;
  const human = mayAsk ? openHuman(terminal.stderr, NOTHING_DRAWN) : undefined;
  try {
    return await command({ ports: nodePorts({ human }), terminal, readInput });
  } catch (thrown) {
    const error = toSyncCredsError(thrown);
    const verbose = options.verbose === true || error.code === "BUG";
    if (options.json === true) terminal.stdout.write(renderJsonResult(error.exitStatus, [], error));
    terminal.stderr.write(renderError(error, paintFor(terminal.stderr, terminal.env), verbose));
    return error.exitStatus;
  }
}

const NOTHING_DRAWN = { clear: () => {}, restore: () => Promise.resolve() };
const MOST_INPUT = 16 * 1024 * 1024;

async function readInput(advice: string): Promise<string> {
  if (process.stdin.isTTY) {
    throw new SyncCredsError("INPUT_NEEDED", "nothing comes through the pipe", {
      why: "stdin is the terminal here, and nobody is to be asked",
      next: [advice],
    });
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MOST_INPUT) {
      throw new SyncCredsError("USAGE", "too much comes through the pipe", {
        why: "more than 16 MiB arrived",
        next: ["Pipe in what was asked for, and nothing else"],
      });
    }
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

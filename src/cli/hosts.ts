import { text } from "node:stream/consumers";
import { SyncCredsError, toSyncCredsError } from "../errors.ts";
import { nodePorts } from "../node-ports.ts";
import { renderError } from "../output/error-message.ts";
import { renderJsonResult } from "../output/report.ts";
import { paintFor } from "../output/terminal.ts";
import type { Terminal } from "../output/terminal.ts";
import type { Ports } from "../ports.ts";
import { openHuman } from "./prompts.ts";

/** The options that every `hosts` command takes. */
export interface HostsOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
  /** False with `--no-input`. */
  readonly input?: boolean;
}

/** What a `hosts` command acts in. */
export interface HostsWorld {
  readonly ports: Ports;
  readonly terminal: Terminal;
  /** All of stdin. Error: `INPUT_NEEDED` when that is a terminal. */
  readonly readInput: () => Promise<string>;
}

/** Runs a `hosts` command on this machine; resolves with the exit status. */
export async function runHosts(
  options: HostsOptions,
  terminal: Terminal,
  command: (world: HostsWorld) => Promise<number>,
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

async function readInput(): Promise<string> {
  if (!process.stdin.isTTY) return await text(process.stdin);
  throw new SyncCredsError("INPUT_NEEDED", "nothing comes through the pipe", {
    why: "`-` stands for stdin, which is the terminal here",
    next: ["Pipe it in: `ansible-inventory --list | sync-creds hosts import --ansible - --all`"],
  });
}

import type { SyncCredsError } from "../errors.ts";
import type { HostResult } from "../outcome.ts";
import type { Paint } from "./terminal.ts";

/** An error that ends the whole run: what happened, why, what to do next. */
export function renderError(error: SyncCredsError, paint: Paint, verbose: boolean): string {
  const { message: what, code, why, next } = error;
  const block = renderBlock({ head: what, code, why, next }, paint);
  const stack = error.cause instanceof Error ? (error.cause.stack ?? "") : (error.stack ?? "");
  return verbose ? `${block}${paint("dim", stack)}\n` : block;
}

/** What happened on a host that is not plainly well. */
export function renderHostProblem(result: HostResult, paint: Paint): string {
  const { host, what, outcome, code, why, state, next, logTail = [] } = result;
  return renderBlock(
    { head: `${host}: ${what ?? outcome}`, code, why, state, next, log: logTail },
    paint,
  );
}

interface Block {
  readonly head: string;
  readonly code?: string | undefined;
  readonly why?: string | undefined;
  readonly state?: string | undefined;
  readonly next?: readonly string[];
  readonly log?: readonly string[];
}

/** Labels stand in a column of their own; every further line of a part is indented under it. */
function renderBlock({ head, code, why, state, next = [], log = [] }: Block, paint: Paint): string {
  const part = (label: string, lines: readonly string[]) =>
    lines.map((line, i) => `  ${paint("dim", (i === 0 ? label : "").padEnd(6))}${line}\n`).join("");
  return [
    `${paint("red", "✖")} ${paint("bold", head)}${code === undefined ? "" : `  ${paint("dim", code)}`}\n`,
    part("why", why?.split("\n") ?? []),
    part("state", state === undefined ? [] : [state]),
    part("next", next),
    part("log", log),
  ].join("");
}

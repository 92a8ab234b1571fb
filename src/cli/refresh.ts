import { renderInstant } from "../output/time.ts";
import type { Terminal } from "../output/terminal.ts";
import { renderHostsResult } from "./hosts-output.ts";
import { listenForInterrupts } from "./interrupts.ts";
import type { LocalOptions, LocalWorld } from "./local-command.ts";
import { renewLogin } from "./renewal.ts";
import type { Life, Renewal } from "./renewal.ts";

/**
 * `refresh`: lets Claude Code renew the login of this laptop, and shows how it was and is. Errors: those of
 * `renewLogin`.
 */
export async function refresh(
  options: LocalOptions,
  { ports, terminal }: LocalWorld,
): Promise<number> {
  using interrupts = listenForInterrupts(terminal, WAITING);
  const renewal = await renewLogin(ports, {
    signal: interrupts.signal,
    tell: (note) => void terminal.stderr.write(`${note}\n`),
  });
  const exitCode = interrupts.signal.aborted ? 130 : 0;
  if (options.json === true) {
    terminal.stdout.write(renderHostsResult(exitCode, [], { refresh: toJson(renewal) }));
  } else {
    show(renewal, ports.now(), terminal);
  }
  return exitCode;
}

const WAITING =
  "Claude Code is at work on the login and is waited for; Ctrl-C again leaves it to end by itself";

function show(
  { isRenewed, before, after, dueAt, complaint, located }: Renewal,
  now: number,
  terminal: Terminal,
): void {
  const { stdout, stderr } = terminal;
  for (const note of located.notes) stderr.write(`${note}\n`);
  if (complaint !== undefined) stderr.write(`Claude Code said: ${complaint}\n`);
  if (isRenewed) {
    stdout.write(`renewed: ${describe(after, now)}\nbefore: ${describe(before, now)}\n`);
    return;
  }
  stdout.write(`unchanged: ${describe(after, now)}\n`);
  stderr.write(
    `Claude Code renews a login in the last 5 minutes of its access token: run this again after ${renderInstant(dueAt, now)}\n`,
  );
}

function describe({ fingerprint, expiresAt }: Life, now: number): string {
  return `${fingerprint}, ${expiresAt > now ? "valid until" : "over since"} ${renderInstant(expiresAt, now)}`;
}

function toJson({ isRenewed, before, after, dueAt, complaint, located }: Renewal): object {
  return {
    outcome: isRenewed ? "renewed" : "unchanged",
    place: located.label,
    before,
    after,
    dueAt,
    ...(complaint !== undefined && { complaint }),
    notes: located.notes,
  };
}

import type { HostResult, RunEvent, Step } from "../outcome.ts";

/** Shows a run while it goes on. A question stops the drawing until it is answered. */
export interface View {
  show(event: RunEvent): void;
  /** Stops drawing; the terminal is free for a question. */
  pause(): void;
  resume(): Promise<void>;
  /** Ends the display. */
  close(): Promise<void>;
}

/** What a host is doing, for a human. */
export const STEP_LABEL: Readonly<Record<Step, string>> = {
  connect: "connecting",
  probe: "looking at the host, asking the wrapper as it is",
  plan: "planning",
  recover: "undoing what an earlier run left",
  install: "installing",
  restart: "restarting the wrapper",
  smoke: "asking the wrapper a question",
  commit: "confirming",
  rollback: "putting everything back",
};

/** A host's ending in a few words. */
export function renderEnding({ outcome, what, backups, durationMs }: HostResult): string {
  const seconds = (durationMs / 1000).toFixed(1);
  if (backups !== undefined) return `keeps ${backups.length} (${seconds} s)`;
  return what === undefined ? `${outcome} (${seconds} s)` : `${outcome}: ${what} (${seconds} s)`;
}

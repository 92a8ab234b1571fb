import { renderSpan } from "../output/time.ts";
import { printable } from "./printable.ts";

/** Who holds a host's lock. */
export interface Holder {
  /** The name of the change, as `Visit.id` has it. */
  readonly run: string;
  readonly who: string;
  /** For how many seconds it has had the lock; older versions did not note it. */
  readonly heldForS?: number;
}

/** Reads `RUN WHO SECONDS`, as the remote half tells it. */
export function parseHolder(text: string): Holder {
  const [run = "", who = "somebody", heldFor = ""] = printable(text).split(" ");
  return { run, who, ...(/^\d{1,10}$/.test(heldFor) && { heldForS: Number(heldFor) }) };
}

/** The holder for a human: `ben@desk, taken 3 min ago (run 1f9a)`. */
export function renderHolder(text: string | undefined): string {
  if (text === undefined) return "another run";
  const { run, who, heldForS } = parseHolder(text);
  return `${who}${heldForS === undefined ? "" : `, taken ${renderAgo(heldForS)}`} (run ${run})`;
}

function renderAgo(seconds: number): string {
  return seconds < 60 ? `${seconds} s ago` : renderSpan(-1000 * seconds);
}

/** What to do about a lock that no run will free. */
export const UNLOCK = "If it hangs, end it: `sync-creds unlock HOST`";

/** What to do about a lock. */
export const AWAIT_IT: readonly string[] = ["Wait for it to end, then push again", UNLOCK];

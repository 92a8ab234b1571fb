import { SyncCredsError } from "../errors.ts";
import { sanitize } from "../output/sanitize.ts";
import type { Verb } from "./frames.ts";

/** It never ran our script: then it holds nothing of ours either. */
export function silent(timeoutMs: number): SyncCredsError {
  return new SyncCredsError("REMOTE_SHELL", "the host did not run our shell script", {
    why: `it took our command and said nothing for ${timeoutMs / 1000} s: a forced command, or start-up files that wait for something`,
    next: ["Check with `ssh HOST /bin/sh -c true`: it must end at once"],
  });
}

/** It has answered before, and does not now. */
export function noAnswer(verb: Verb, timeoutMs: number): SyncCredsError {
  return new SyncCredsError("CONNECTION_LOST", `no answer within ${timeoutMs / 1000} s`, {
    why: `the host was asked to ${verb} and fell silent`,
    next: ["Run the command again: it finds and recovers what was left"],
  });
}

/** The script had worked and is gone: what it has done since nobody knows. As with a lost link, ask anew. */
export function endedEarly(code: number | null): SyncCredsError {
  return new SyncCredsError("CONNECTION_LOST", "our shell script on the host ended early", {
    why: code === null ? "it was killed" : `it ended with status ${code}`,
    next: ["Run the command again: it finds and recovers what was left"],
  });
}

/** It ended without an answer: what it said instead. */
export function explainEnd(code: number | null, output: string): SyncCredsError {
  const said = sanitize(output, { maxLength: 400, maxLines: 4 }).trim();
  return new SyncCredsError("REMOTE_SHELL", "the host did not run our shell script", {
    why: `its login shell ended with status ${code ?? "unknown"}${said === "" ? " and said nothing" : `: ${said}`}`,
    next: [
      "Check with `ssh HOST /bin/sh -c true`: this account may have no shell, or a forced command",
    ],
  });
}

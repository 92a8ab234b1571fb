import { sanitize } from "../output/sanitize.ts";
import type { Answer } from "./frames.ts";
import { parseShadows, parseWrapper } from "./probe-report.ts";
import type { WrapperProcess } from "./probe-report.ts";
import type { ShadowFact } from "./shadow-fact.ts";

/** How a restart on the host went. */
export interface RestartReport {
  /** Why it counts as failed; undefined when a new process listens and stayed. */
  readonly failure: { readonly reason: string; readonly detail: string } | undefined;
  readonly wrapper: WrapperProcess | undefined;
  /** What outranks the credentials file in the process that runs now. */
  readonly shadows: readonly ShadowFact[];
  /** Whether its environment was to be seen. */
  readonly seesEnvironment: boolean;
  /** The end of the wrapper's log, sanitized; empty when all went well. */
  readonly log: readonly string[];
}

/** Reads the restart facts of an answer to `restart`, `rollback` or `recover`. */
export function parseRestart(answer: Answer): RestartReport {
  const reason = answer.get("fail");
  // Line by line: what matters stands at the end, and one endless line must not hide it.
  const lines = answer.all("detail").map((line) => sanitize(line, { maxLength: 120 }));
  return {
    failure: reason === undefined ? undefined : { reason, detail: lines.join(" ") },
    wrapper: parseWrapper(answer),
    shadows: parseShadows(answer),
    seesEnvironment: answer.get("wrapper") !== undefined && !answer.all("env").includes("?"),
    log: answer.all("log").map((line) => sanitize(line, { maxLength: 200 })),
  };
}

/** The failure of a restart in the user's terms, and the first thing to try. */
export function explainRestart(reason: string, detail: string): { why: string; next: string } {
  const said = detail === "" ? "" : `: ${detail}`;
  switch (reason) {
    case "exited":
      return { why: `the wrapper ended by itself${said}`, next: "Read the log lines below" };
    case "not-listening":
      return {
        why: "nothing listened on the wrapper's port in time",
        next: "Check the port in `wrapper.url`, or raise `wrapper.startTimeoutMs`",
      };
    case "same-process":
      return {
        why: "the restart was reported as done, but the old process still holds the port",
        next: "Correct `restart` in hosts.json: it did not restart what listens there",
      };
    case "unstable":
      return {
        why: "the new process did not stay up",
        next: "Read the log lines below; raise `stabilityMs` only if it restarts by design",
      };
    case "hangs":
      return {
        why: `the restart command did not end in time${said}`,
        next: "Give it `restart.timeoutMs`, or let it detach what it starts",
      };
    case "port-taken":
      return { why: `the port is taken${said}`, next: "Stop what holds the port, then push again" };
    case "foreign":
      return {
        why: `what holds the port was not started from the wrapper's directory${said}`,
        next: "Correct `restart.directory` or `wrapper.url`, or stop that process yourself",
      };
    default:
      return {
        why: `the restart command failed${said}`,
        next: "Try the same command on the host by hand",
      };
  }
}

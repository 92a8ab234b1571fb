import type { SyncCredsError } from "../errors.ts";
import type { HostResult, Outcome } from "../outcome.ts";
import { renderHostProblem } from "./error-message.ts";
import type { Paint } from "./terminal.ts";
import { renderInstant } from "./time.ts";

const SCHEMA_VERSION = 1;

/** The closing table and, below it, a block for each host that needs attention. */
export function renderReport(results: readonly HostResult[], now: number, paint: Paint): string {
  const problems = results.filter((result) => result.what !== undefined);
  const plans = results.filter((result) => result.plan !== undefined);
  return [
    renderTable(results, now, paint),
    ...plans.map((result) => renderPlanOf(result, paint)),
    ...problems.map((result) => `\n${renderHostProblem(result, paint)}`),
  ].join("");
}

/** The last line of `--json`: everything a script needs, in one object. */
export function renderJsonResult(
  exitCode: number,
  results: readonly HostResult[],
  error?: SyncCredsError,
): string {
  const failure =
    error === undefined
      ? {}
      : { error: { code: error.code, what: error.message, why: error.why, next: error.next } };
  return `${JSON.stringify({ type: "result", schemaVersion: SCHEMA_VERSION, exitCode, ...failure, hosts: results })}\n`;
}

function renderTable(results: readonly HostResult[], now: number, paint: Paint): string {
  const rows = results.map((result) => [
    result.host,
    result.outcome,
    result.fingerprint ?? "-",
    result.validUntil === undefined ? "-" : renderInstant(result.validUntil, now),
    result.next[0] ?? "-",
  ]);
  const head = ["HOST", "OUTCOME", "FINGERPRINT", "VALID UNTIL", "NEXT"];
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)),
  );
  const line = (row: readonly string[], colour: (text: string, column: number) => string) =>
    row
      .map((cell, i) => colour(i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0), i))
      .join("  ")
      .trimEnd();
  const lines = [
    line(head, (text) => paint("dim", text)),
    ...results.map((result, i) =>
      line(rows[i] ?? [], (text, column) =>
        column === 1 ? paint(COLOUR[result.outcome], text) : text,
      ),
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function renderPlanOf({ host, plan = [] }: HostResult, paint: Paint): string {
  return `\n${paint("bold", host)}\n${plan.map((line) => `  ${line}\n`).join("")}`;
}

const COLOUR: Readonly<Record<Outcome, "green" | "red" | "yellow" | "cyan">> = {
  verified: "green",
  unchanged: "green",
  planned: "cyan",
  "rolled-back": "yellow",
  unverified: "yellow",
  "rollback-failed": "red",
  conflict: "yellow",
  busy: "yellow",
  unreachable: "red",
  refused: "red",
  failed: "red",
  "not-attempted": "yellow",
};

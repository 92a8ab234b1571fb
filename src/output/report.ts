import type { SyncCredsError } from "../errors.ts";
import { SCHEMA_VERSION } from "../outcome.ts";
import type { HostResult, Outcome } from "../outcome.ts";
import { renderHostProblem } from "./error-message.ts";
import { renderNames } from "./names.ts";
import type { Paint } from "./terminal.ts";
import { renderInstant } from "./time.ts";

/** How the report is to be read. */
export interface ReportOptions {
  /** Every host has its row, however many they are. */
  readonly all?: boolean | undefined;
}

/**
 * The closing table, worst first, and below it what needs attention. Many hosts that are well share a row, hosts with the same
 * plan or problem a block: the one that needs a person must not drown.
 */
export function renderReport(
  results: readonly HostResult[],
  now: number,
  paint: Paint,
  { all = false }: ReportOptions = {},
): string {
  if (results.length === 0) return "no host is left to go to\n";
  const sorted = results.toSorted((a, b) => WORST_FIRST[a.outcome] - WORST_FIRST[b.outcome]);
  const plans = sorted.filter((result) => result.plan !== undefined);
  const problems = sorted.filter((result) => result.what !== undefined);
  return [
    renderTable(rowsOf(sorted, now, all), paint),
    ...together(plans, ({ plan }) => plan).map(([names, result]) =>
      renderPlanOf(names, result, paint),
    ),
    ...together(problems, toldOf).map(
      ([host, result]) => `\n${renderHostProblem({ ...result, host }, paint)}`,
    ),
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

/** More good hosts than this are told in one row for each outcome. */
const MOST_GOOD_ROWS = 30;

interface Row {
  readonly outcome: Outcome;
  readonly cells: readonly string[];
}

function rowsOf(sorted: readonly HostResult[], now: number, all: boolean): Row[] {
  const good = sorted.filter(({ outcome }) => GOOD.includes(outcome));
  if (all || good.length <= MOST_GOOD_ROWS) return sorted.map((result) => rowOf(result, now));
  const others = sorted.filter(({ outcome }) => !GOOD.includes(outcome));
  const folded = GOOD.map((outcome) => good.filter((result) => result.outcome === outcome));
  return [
    ...others.map((result) => rowOf(result, now)),
    ...folded.flatMap((some) => fold(some, now)),
  ];
}

function rowOf({ host, outcome, fingerprint, validUntil, next }: HostResult, now: number): Row {
  const until = validUntil === undefined ? "-" : renderInstant(validUntil, now);
  return { outcome, cells: [host, outcome, fingerprint ?? "-", until, next[0] ?? "-"] };
}

/** One row for several hosts with the same outcome; of their ends the first one counts. */
function fold(some: readonly HostResult[], now: number): Row[] {
  const [first, other] = some;
  if (first === undefined) return [];
  if (other === undefined) return [rowOf(first, now)];
  const fingerprints = new Set(some.map(({ fingerprint }) => fingerprint ?? "-"));
  const [fingerprint = "-"] = fingerprints.size === 1 ? fingerprints : ["several"];
  const ends = some.flatMap(({ validUntil }) => validUntil ?? []);
  const until = ends.length === 0 ? "-" : renderInstant(Math.min(...ends), now);
  const { outcome } = first;
  const cells = [`${some.length} hosts`, outcome, fingerprint, until, "- (`-v` shows them)"];
  return [{ outcome, cells }];
}

/** Results of which the same is to be told, under the names of their hosts, in the order of the first of each. */
function together(
  results: readonly HostResult[],
  what: (result: HostResult) => unknown,
): [names: string, first: HostResult][] {
  const groups = new Map<string, { first: HostResult; names: string[] }>();
  for (const result of results) {
    const told = JSON.stringify(what(result));
    const group = groups.get(told) ?? { first: result, names: [] };
    group.names.push(result.host);
    groups.set(told, group);
  }
  return [...groups.values()].map(({ first, names }) => [renderNames(names), first]);
}

/** What a problem's block says, but for the host's own name. */
function toldOf({ host, outcome, code, what, why, state, next, logTail }: HostResult): unknown {
  const told = JSON.stringify([outcome, code, what, why, state, next, logTail]);
  return told.replaceAll(host, "HOST");
}

function renderTable(table: readonly Row[], paint: Paint): string {
  const rows = table.map(({ cells }) => cells);
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
    ...table.map(({ cells, outcome }) =>
      line(cells, (text, column) => (column === 1 ? paint(COLOUR[outcome], text) : text)),
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function renderPlanOf(names: string, { plan = [] }: HostResult, paint: Paint): string {
  return `\n${paint("bold", names)}\n${plan.map((line) => `  ${line}\n`).join("")}`;
}

const GOOD: readonly Outcome[] = ["planned", "verified", "unchanged"];

const WORST_FIRST: Readonly<Record<Outcome, number>> = {
  "rollback-failed": 0,
  conflict: 1,
  failed: 2,
  refused: 3,
  "rolled-back": 4,
  unverified: 5,
  unreachable: 6,
  busy: 7,
  "not-attempted": 8,
  planned: 9,
  verified: 10,
  unchanged: 11,
};

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

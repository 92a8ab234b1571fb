import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Timing } from "./measure.ts";
import { project } from "./competitors.ts";
import { peerVersions } from "./peers.ts";

/** One row of the table. */
export interface Result {
  readonly id: string;
  readonly work: string;
  /** What it is compared with; empty for an absolute figure. */
  readonly against: string;
  readonly ours: string;
  readonly theirs: string;
  /** What is held to the target. */
  readonly value: number;
  /** None: it is there to compare with. */
  readonly target?: number;
  readonly unit: "" | "MiB";
}

/** A row that holds the ratio of two times to a target. */
export function ratioOf(
  row: { readonly id: string; readonly work: string; readonly target?: number },
  ours: Timing,
  theirs: Timing,
): Result {
  const value = ours.medianMs / theirs.medianMs;
  const times = { ours: renderTiming(ours), theirs: renderTiming(theirs) };
  return { ...row, ...times, against: theirs.name, value, unit: "" };
}

/** Prints a row as soon as it is known. */
export function printRow(result: Result): void {
  const [id, ...cells] = cellsOf(result);
  console.log([id?.padEnd(14), ...cells].join("  "));
}

/** Writes the table to bench/results.md. */
export function saveResults(results: readonly Result[], place: string): void {
  const head = ["row", "work", "against", "ours", "theirs", "ratio", "target", ""];
  const rows = [head, ...results.map(cellsOf)];
  const widths = head.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)));
  const lines = rows.map(
    (row) => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`,
  );
  lines.splice(1, 0, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`);
  const text = `# Speed

Written by \`npm run bench\`. Medians of five runs taken in turn, smallest and largest in brackets; ratios are what to compare.

${lines.join("\n")}

${place}; ${peerVersions().join("; ")}. Every host is this machine too, with a home in memory: with many of them their own work is the limit, and
most of Ansible's time is Python on the hosts. A floor is what the bare script of the row above takes through ssh2 instead of \`ssh\`, without
a look, a journal or a way back: the least that a client on Node can spend on that script. A push spends more in the client and less on the host.
`;
  writeFileSync(join(project, "bench", "results.md"), text);
}

function cellsOf({ id, work, against, ours, theirs, value, target, unit }: Result): string[] {
  const digits = unit === "" ? 2 : 0;
  const say = (number: number): string => `${number.toFixed(digits)} ${unit}`.trim();
  const cells = [id, work, against, ours, theirs, say(value)];
  if (target === undefined) return [...cells, "", ""];
  return [...cells, `≤ ${say(target)}`, value <= target ? "met" : "MISSED"];
}

function renderTiming({ medianMs, minMs, maxMs }: Timing): string {
  return `${Math.round(medianMs)} ms (${Math.round(minMs)}-${Math.round(maxMs)})`;
}

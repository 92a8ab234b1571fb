import { SCHEMA_VERSION } from "../outcome.ts";
import type { Paint } from "../output/terminal.ts";

/** Columns under their titles. The last one is as wide as it likes. */
export function renderColumns(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  paint: Paint,
): string {
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [paint("dim", line(titles)), ...rows.map(line)].map((text) => `${text}\n`).join("");
}

/** The result line of `--json`, for commands whose hosts are no results of a run. */
export function renderHostsResult(
  exitCode: number,
  hosts: readonly object[],
  more: object = {},
): string {
  return `${JSON.stringify({ type: "result", schemaVersion: SCHEMA_VERSION, exitCode, ...more, hosts })}\n`;
}

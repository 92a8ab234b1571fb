import type { HostResult } from "../outcome.ts";
import { renderHostProblem } from "../output/error-message.ts";
import type { Paint } from "../output/terminal.ts";
import { renderInstant } from "../output/time.ts";
import { renderColumns } from "./hosts-output.ts";

/** What each host keeps, newest first: by date, fingerprint and maker; never a content. */
export function renderBackups(results: readonly HostResult[], now: number, paint: Paint): string {
  return results.map((result) => renderHost(result, now, paint)).join("\n");
}

const TITLES = ["ID", "BEFORE", "HELD", "CHANGE", "BY", "FILES"];

function renderHost(result: HostResult, now: number, paint: Paint): string {
  if (result.backups === undefined) return renderHostProblem(result, paint);
  const title = `${paint("bold", result.host)}\n`;
  if (result.backups.length === 0) return `${title}no backups\n`;
  const rows = result.backups.map(({ id, at, holds, what, who, files }) => [
    id.slice(0, 8),
    renderInstant(at, now),
    holds,
    what,
    who,
    files.join(" "),
  ]);
  return title + renderColumns(TITLES, rows, paint);
}

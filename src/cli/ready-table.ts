import { renderNames } from "../output/names.ts";
import type { Ready } from "../turns.ts";

const MOST_LINES = 40;

/**
 * What is about to change, host by host, for a question before the first change. Hosts with the same changes share a line:
 * two hundred hosts must not scroll the question away.
 */
export function renderReady(ready: readonly Ready[]): string[] {
  const byChange = new Map<string, string[]>();
  for (const { host, plan } of ready) {
    const change = plan.lines.join("; ");
    byChange.set(change, [...(byChange.get(change) ?? []), host]);
  }
  const lines = [...byChange].map(([change, hosts]) => `  ${renderNames(hosts)}  ${change}`);
  if (lines.length <= MOST_LINES) return lines;
  return [...lines.slice(0, MOST_LINES), `  … and ${lines.length - MOST_LINES} lines more`];
}

import type { Host } from "../hosts/host.ts";
import { openJsonLines, openPlainLines } from "../output/plain-lines.ts";
import { drawableStream } from "../output/terminal.ts";
import type { Terminal } from "../output/terminal.ts";
import type { View } from "../output/view.ts";
import type { FleetOptions } from "./fleet.ts";

/** How a run is shown: events as JSON, live lines where they can be drawn, plain lines elsewhere. */
export async function openView(
  hosts: readonly Host[],
  options: FleetOptions,
  terminal: Terminal,
): Promise<View> {
  if (options.json === true) return openJsonLines(terminal.stdout);
  const detail = options.quiet === true ? "quiet" : options.verbose === true ? "verbose" : "usual";
  const stream = drawableStream(terminal);
  if (detail !== "usual" || stream === undefined) return openPlainLines(terminal.stderr, detail);
  const { openTaskList } = await import("../output/task-list.ts");
  return openTaskList(
    hosts.map((host) => host.name),
    stream,
  );
}

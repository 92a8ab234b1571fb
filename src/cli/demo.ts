import { runDemo } from "../demo/story.ts";
import { nodePorts } from "../node-ports.ts";
import type { Terminal } from "../output/terminal.ts";
import { listenForInterrupts } from "./interrupts.ts";
import { runPush } from "./push.ts";

/** `demo` on this machine; resolves with the exit status. */
export async function demo(terminal: Terminal): Promise<number> {
  using interrupts = listenForInterrupts(terminal);
  const { signal } = interrupts;
  // Awaited here, for at the end of this function nobody listens for Ctrl-C any more.
  return await runDemo({ ports: nodePorts(), terminal, signal }, (ports) =>
    runPush(["demo"], {}, { ports, terminal, signal }),
  );
}

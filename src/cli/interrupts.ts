import type { Terminal } from "../output/terminal.ts";

/** Ctrl-C and its kin, for as long as a command runs. */
export interface Interrupts extends Disposable {
  /** Aborted at the first one. */
  readonly signal: AbortSignal;
  /** As if one had come. */
  readonly interrupt: () => void;
}

/**
 * The first Ctrl-C asks the run to end well: hosts already changed go back. The second ends the program at once; a host
 * under change then undoes it by itself. `notice` says in a few words what the first one leads to.
 */
export function listenForInterrupts({ stderr }: Terminal, notice = AT_A_PUSH): Interrupts {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) {
      if (stderr.isTTY === true) stderr.write(SHOW_CURSOR); // the live display has hidden it
      process.exit(130);
    }
    stderr.write(`\ninterrupted: ${notice}\n`);
    controller.abort();
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of signals) process.on(name, onSignal);
  return {
    signal: controller.signal,
    interrupt: onSignal,
    [Symbol.dispose]() {
      for (const name of signals) process.off(name, onSignal);
    },
  };
}

const AT_A_PUSH =
  "hosts under change are put back; Ctrl-C again ends at once and leaves that to the hosts";
const SHOW_CURSOR = "\u001B[?25h";

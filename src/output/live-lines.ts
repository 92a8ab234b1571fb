/** How far a host has come, for a live display. */
export interface LiveState {
  readonly phase: "waiting" | "at-work" | "good" | "bad" | "stopped";
  /** Counts up with each thing that happens in the run; 0 when nothing has happened to this host. */
  readonly lastChange: number;
}

/** A list of up to so many hosts needs no progress line. */
const FEW = 10;

/**
 * Which hosts have a line, by their index and in their order, where `rows` are to be had: first those that something happens
 * to, then failures, then those that wait. What is well is told by the progress line.
 */
export function chooseLines(states: readonly LiveState[], rows: number): number[] {
  const all = states.map((_, index) => index);
  if (states.length <= rows) return all;
  const rank = (index: number) => RANK[states[index]?.phase ?? "waiting"];
  const change = (index: number) => states[index]?.lastChange ?? 0;
  return all
    .filter((index) => states[index]?.phase !== "good")
    .sort((a, b) => rank(a) - rank(b) || change(b) - change(a) || a - b)
    .slice(0, Math.max(0, rows))
    .sort((a, b) => a - b);
}

const RANK: Readonly<Record<LiveState["phase"], number>> = {
  "at-work": 0,
  bad: 1,
  waiting: 2,
  stopped: 3,
  good: 4,
};

/** The line over all hosts: `███░░░  37/200 done, 2 failed`; undefined where the hosts are few. */
export function renderProgress(states: readonly LiveState[]): string | undefined {
  if (states.length <= FEW) return undefined;
  const count = (wanted: LiveState["phase"]) =>
    states.filter(({ phase }) => phase === wanted).length;
  const failed = count("bad");
  const stopped = count("stopped");
  const done = failed + count("good");
  const filled = Math.floor((done / states.length) * BAR_WIDTH);
  const bar = "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
  return `${bar}  ${done}/${states.length} done${failed === 0 ? "" : `, ${failed} failed`}${stopped === 0 ? "" : `, ${stopped} not begun`}`;
}

const BAR_WIDTH = 20;

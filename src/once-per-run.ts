import type { Ports } from "./ports.ts";
import { TimeLimit } from "./time-limit.ts";

interface Memory {
  readonly results: Map<string, Promise<unknown>>;
  readonly queues: Map<string, Promise<unknown>>;
  /** The hosts' deadlines, for as long as they run. */
  readonly limits: Set<TimeLimit>;
  /** How many questions are asked or wait for their turn. */
  pending: number;
}

const memories = new WeakMap<Ports, Memory>();

/** What `make` gave the first time it was called for this run (one `Ports`) and key, failures included. */
export function oncePerRun<T>(ports: Ports, key: string, make: () => Promise<T>): Promise<T> {
  const { results } = memoryOf(ports);
  const earlier = results.get(key);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one key always goes with one `make`
  if (earlier) return earlier as Promise<T>;
  const result = make();
  results.set(key, result);
  return result;
}

/** Drops what `oncePerRun` remembers, if it is still this result: somebody else may have got a better one since. */
export function forget(ports: Ports, key: string, result: Promise<unknown>): void {
  const { results } = memoryOf(ports);
  if (results.get(key) === result) results.delete(key);
}

/**
 * Lets hosts that connect side by side put their questions to the human one after the other, and what else must queue.
 * The deadlines of all hosts stand still until nobody is asked any more: several may wait for one answer.
 */
export function inTurn<T>(ports: Ports, ask: () => Promise<T>, queue = "questions"): Promise<T> {
  const memory = memoryOf(ports);
  const answer = (memory.queues.get(queue) ?? Promise.resolve()).then(ask, ask);
  if (memory.pending++ === 0) for (const limit of memory.limits) limit.hold();
  const settled = answer
    .catch(() => undefined)
    .finally(() => {
      if (--memory.pending === 0) for (const limit of memory.limits) limit.goOn();
    });
  memory.queues.set(queue, settled);
  return answer;
}

/** When one host of the run has had its time. Dispose of it when the host is done. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** The time stands still until `goOn`; as often as this is called, so often must that be. */
  hold(): void;
  goOn(): void;
}

/** Gives a host its time, in which `inTurn` does not count. */
export function startDeadline(ports: Ports, milliseconds: number): Deadline {
  const memory = memoryOf(ports);
  const over = new AbortController();
  const limit = new TimeLimit(() => over.abort());
  memory.limits.add(limit);
  limit.start(milliseconds);
  if (memory.pending > 0) limit.hold();
  return {
    signal: over.signal,
    hold: () => limit.hold(),
    goOn: () => limit.goOn(),
    [Symbol.dispose]() {
      limit.end();
      memory.limits.delete(limit);
    },
  };
}

function memoryOf(ports: Ports): Memory {
  const memory = memories.get(ports) ?? {
    results: new Map(),
    queues: new Map(),
    limits: new Set(),
    pending: 0,
  };
  memories.set(ports, memory);
  return memory;
}

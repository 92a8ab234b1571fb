import type { Ports } from "./ports.ts";

interface Memory {
  readonly results: Map<string, Promise<unknown>>;
  readonly queues: Map<string, Promise<unknown>>;
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

/** Lets hosts that connect side by side put their questions to the human one after the other, and what else must queue. */
export function inTurn<T>(ports: Ports, ask: () => Promise<T>, queue = "questions"): Promise<T> {
  const { queues } = memoryOf(ports);
  const answer = (queues.get(queue) ?? Promise.resolve()).then(ask, ask);
  queues.set(
    queue,
    answer.catch(() => undefined),
  );
  return answer;
}

function memoryOf(ports: Ports): Memory {
  const memory = memories.get(ports) ?? { results: new Map(), queues: new Map() };
  memories.set(ports, memory);
  return memory;
}

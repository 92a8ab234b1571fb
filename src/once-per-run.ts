import type { Ports } from "./ports.ts";

interface Memory {
  readonly results: Map<string, Promise<unknown>>;
  lastQuestion: Promise<unknown>;
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

/** Lets hosts that connect side by side put their questions to the human one after the other. */
export function inTurn<T>(ports: Ports, ask: () => Promise<T>): Promise<T> {
  const memory = memoryOf(ports);
  const answer = memory.lastQuestion.then(ask, ask);
  memory.lastQuestion = answer.catch(() => undefined);
  return answer;
}

function memoryOf(ports: Ports): Memory {
  const memory = memories.get(ports) ?? { results: new Map(), lastQuestion: Promise.resolve() };
  memories.set(ports, memory);
  return memory;
}

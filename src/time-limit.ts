/** A time limit that stands still while somebody is asked. */
export class TimeLimit {
  readonly #onOver: () => void;
  #leftMs = 0;
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  /** How many times it is held just now. */
  #holds = 0;

  constructor(onOver: () => void) {
    this.#onOver = onOver;
  }

  /** Begins anew with this much time. */
  start(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#leftMs = milliseconds;
    if (this.#holds === 0) this.#run();
  }

  hold(): void {
    if (this.#holds++ > 0) return;
    clearTimeout(this.#timer);
    this.#leftMs -= now() - this.#startedAt;
  }

  goOn(): void {
    if (--this.#holds === 0) this.#run();
  }

  /** No limit any more. */
  end(): void {
    clearTimeout(this.#timer);
  }

  #run(): void {
    this.#startedAt = now();
    this.#timer = setTimeout(this.#onOver, Math.max(0, this.#leftMs));
  }
}

/** Milliseconds of a clock that nobody sets. `performance` has the same, but is six modules of node to load, in each push. */
function now(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

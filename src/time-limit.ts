/** A time limit that stands still while somebody is asked. */
export class TimeLimit {
  readonly #onOver: () => void;
  #leftMs = 0;
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #isHeld = false;

  constructor(onOver: () => void) {
    this.#onOver = onOver;
  }

  /** Begins anew with this much time. */
  start(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#leftMs = milliseconds;
    if (!this.#isHeld) this.#run();
  }

  hold(): void {
    this.#isHeld = true;
    clearTimeout(this.#timer);
    this.#leftMs -= performance.now() - this.#startedAt;
  }

  goOn(): void {
    this.#isHeld = false;
    this.#run();
  }

  /** No limit any more. */
  end(): void {
    clearTimeout(this.#timer);
  }

  #run(): void {
    this.#startedAt = performance.now();
    this.#timer = setTimeout(this.#onOver, Math.max(0, this.#leftMs));
  }
}

import { toSyncCredsError } from "../errors.ts";
import type { SyncCredsError } from "../errors.ts";
import type { HostResult } from "../outcome.ts";
import type { Ready, Turns } from "../turns.ts";
import { failuresAmong, notAll, reasonToStop } from "./stops.ts";
import type { Limits } from "./stops.ts";
import { planWaves } from "./waves.ts";
import type { Order } from "./waves.ts";

/** How a run over several hosts goes. */
export interface Conduct extends Order, Limits {
  /** Hosts that connect, and hosts that are changed, at the same time. */
  readonly concurrency: number;
  /** Told what is about to change, when all hosts have been looked at. Rejects to stop the run before its first change. */
  readonly consent?: (ready: readonly Ready[]) => Promise<void>;
}

interface Waiting extends Ready {
  readonly go: () => void;
  readonly stop: (error: SyncCredsError) => void;
}

/**
 * Gives the hosts of one run their turns: all are looked at before the first is changed, waves follow each other, and too
 * many failures stop what has not begun. It is told of each host's end by `ended`.
 */
export class Conductor implements Turns {
  readonly #conduct: Conduct;
  readonly #hosts: readonly string[];
  readonly #results = new Map<string, HostResult>();
  /** Looked at, waiting for their wave. */
  readonly #ready = new Map<string, Waiting>();
  /** Changing now, at most as many as may at a time. */
  readonly #changing = new Set<string>();
  /** Proven, waiting for the others. */
  readonly #proven = new Map<string, (stays: boolean) => void>();
  /** Connecting or being looked at, and waiting for that. */
  readonly #looking = new Set<string>();
  readonly #queue: { readonly host: string; readonly go: () => void }[] = [];
  /** Where each host that was let go is changed. */
  readonly #places = new Map<string, string>();
  #waves: string[][] | undefined;
  #mayBegin = false;

  constructor(hosts: readonly string[], conduct: Conduct) {
    this.#hosts = hosts;
    this.#conduct = conduct;
  }

  get isAtomic(): boolean {
    return this.#conduct.atomic === true;
  }

  connect(host: string): Promise<void> {
    return new Promise((go) => {
      this.#queue.push({ host, go });
      this.#letConnect();
    });
  }

  change(ready: Ready): Promise<void> {
    // Looked at once more, for its file had changed under our hands: it is its turn still.
    if (this.#changing.has(ready.host)) return Promise.resolve();
    this.#looking.delete(ready.host);
    this.#letConnect();
    return new Promise((go, stop) => {
      this.#ready.set(ready.host, { ...ready, go, stop });
      this.#goOn();
    });
  }

  stays(host: string): Promise<boolean> {
    if (!this.isAtomic) return Promise.resolve(true);
    return new Promise((resolve) => {
      this.#changing.delete(host);
      this.#proven.set(host, resolve);
      this.#goOn();
    });
  }

  /** A host has come to its end, whatever it is. */
  ended(result: HostResult): void {
    const { host } = result;
    for (const place of [this.#looking, this.#ready, this.#changing, this.#proven]) {
      place.delete(host);
    }
    this.#results.set(host, result);
    this.#letConnect();
    this.#goOn();
  }

  #letConnect(): void {
    while (this.#looking.size < this.#conduct.concurrency) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#looking.add(next.host);
      next.go();
    }
  }

  /** Whatever has just happened: lets go on who may. */
  #goOn(): void {
    if (this.isAtomic) this.#settleAtomic();
    if (this.#waves === undefined) this.#begin();
    else if (this.#mayBegin) this.#fillWave(this.#waves);
  }

  /** All hosts have been looked at, or have ended: now the first change may come. */
  #begin(): void {
    if (this.#results.size + this.#ready.size < this.#hosts.length) return;
    const hosts = this.#hosts.filter((host) => this.#ready.has(host));
    this.#waves = planWaves(hosts, this.#conduct);
    this.#stopIfTooMany();
    void this.#ask(hosts.flatMap((host) => this.#ready.get(host) ?? []));
  }

  async #ask(ready: readonly Ready[]): Promise<void> {
    try {
      if (ready.length > 0) await this.#conduct.consent?.(ready);
      this.#mayBegin = true;
      this.#goOn();
    } catch (thrown) {
      this.#stop(toSyncCredsError(thrown));
    }
  }

  #fillWave(waves: string[][]): void {
    const wave = waves.find((hosts) => hosts.some((host) => !this.#isDone(host)));
    if (wave === undefined) return;
    const hasBegun = wave.some((host) => !this.#ready.has(host));
    if (!hasBegun) this.#stopIfTooMany();
    for (const host of wave) {
      const next = this.#ready.get(host);
      if (next === undefined || this.#isTaken(next.place)) continue;
      if (this.#changing.size >= this.#conduct.concurrency) return;
      this.#ready.delete(host);
      this.#changing.add(host);
      this.#places.set(host, next.place);
      next.go();
    }
  }

  /** Two names of one host are not changed at the same time. */
  #isTaken(place: string): boolean {
    const isHere = (host: string) => this.#places.get(host) === place;
    return this.#isProven(place) || [...this.#changing].some(isHere);
  }

  #isProven(place: string): boolean {
    return [...this.#proven.keys()].some((host) => this.#places.get(host) === place);
  }

  #isDone(host: string): boolean {
    return this.#results.has(host) || this.#proven.has(host);
  }

  #stopIfTooMany(): void {
    const reason = reasonToStop(this.#failures(), this.#conduct, {
      all: this.#hosts.length,
      wasChanged: (host) => this.#places.has(host),
    });
    if (reason !== undefined) this.#stop(reason);
  }

  /** Nothing new begins. What is under way comes to its own end. */
  #stop(error: SyncCredsError): void {
    const waiting = [...this.#ready.values()];
    this.#ready.clear();
    for (const { stop } of waiting) stop(error);
  }

  #failures(): HostResult[] {
    return failuresAmong(this.#results.values(), this.#conduct);
  }

  /** Everybody is proven: all stay. Somebody has failed: nobody does. */
  #settleAtomic(): void {
    const failures = this.#failures();
    const hasFailed = failures.length > 0;
    // A second name of a proven host cannot go before that has stayed; then it is looked at once more.
    const others = [...this.#ready.values()].filter(({ place }) => this.#isProven(place));
    const settledHosts = this.#results.size + this.#proven.size + others.length;
    const isComplete = settledHosts === this.#hosts.length;
    if (!hasFailed && !isComplete) return;
    if (hasFailed && this.#mayBegin) this.#stop(notAll(failures));
    const settled = [...this.#proven];
    for (const [host, resolve] of settled) {
      this.#proven.delete(host);
      this.#changing.add(host); // it is at work again, on its commit or its way back
      resolve(!hasFailed);
    }
  }
}

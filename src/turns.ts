import type { Plan } from "./plan/plan.ts";

/** A host that has been looked at and has something to change. */
export interface Ready {
  readonly host: string;
  readonly plan: Extract<Plan, { kind: "change" }>;
  /** Where the change would be made: host and folder. Two names of one place have the same. */
  readonly place: string;
}

/**
 * What a host waits for in a run over several: its turn to connect, its turn to change, and the others' verdicts where
 * the run is atomic. A run over one host waits for nothing.
 */
export interface Turns {
  /** Resolves when the host may connect. */
  connect(host: string): Promise<void>;
  /**
   * Resolves when the host may be changed: all hosts have been looked at, and its wave has come. Rejects with a
   * `SyncCredsError` when the run stops before it.
   */
  change(ready: Ready): Promise<void>;
  /** Whether the proven change shall stay. An atomic run answers when every host is proven, or one has failed. */
  stays(host: string): Promise<boolean>;
  /** What is not proven goes back, whatever the reason: all hosts, or none. */
  readonly isAtomic: boolean;
}

/** Nobody waits for anybody. */
export const AT_ONCE: Turns = {
  connect: async () => {},
  change: async () => {},
  stays: async () => true,
  isAtomic: false,
};

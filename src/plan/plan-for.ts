import type { Purpose } from "../purpose.ts";
import type { Backup } from "../remote/backups.ts";
import { planRestore } from "./plan-restore.ts";
import { planSwitch } from "./plan-switch.ts";
import { planHost } from "./plan.ts";
import type { Plan, PlanQuestion } from "./plan.ts";

export interface PurposeQuestion extends PlanQuestion {
  /** Read where the purpose is to restore one. */
  readonly backups: readonly Backup[];
  /** Epoch milliseconds, by this laptop. */
  readonly now: number;
}

/** What shall happen to one host, for the purpose of its run. A failover is a push of the key that lies there already. */
export function planFor(purpose: Purpose, question: PurposeQuestion): Plan {
  switch (purpose.kind) {
    case "push":
    case "failover":
      return planHost(question);
    case "switch":
      return planSwitch(question, purpose);
    case "restore":
      return planRestore(question, purpose);
  }
}

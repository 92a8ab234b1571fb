import type { HostResult } from "../outcome.ts";
import type { Ports } from "../ports.ts";
import { renderPurpose } from "../purpose.ts";
import type { Purpose } from "../purpose.ts";
import { recordInLedger } from "../rollout/ledger.ts";
import type { Job } from "../visit.ts";

/**
 * Notes each host's end in the ledger as soon as it has come: a run that is killed is known as far as it went. The ledger
 * serves later runs; without it this one is as good, so its loss is told once, not fatal.
 */
export function openLedger(
  ports: Ports,
  { purpose, who }: { readonly purpose: Purpose; readonly who: string },
  note: (text: string) => void,
): (job: Job, result: HostResult) => Promise<void> {
  const run = ports.randomHex(4);
  let isLost = false;
  return async ({ offer }, result) => {
    try {
      await recordInLedger(ports, result, {
        run,
        who,
        // Anything else than a push leaves what the host had already.
        ...(purpose.kind === "push"
          ? { sentRefreshFingerprint: offer.sentRefreshFingerprint }
          : { by: renderPurpose(purpose) }),
      });
    } catch {
      if (!isLost) note("the ledger could not be written; later runs know less of these hosts");
      isLost = true;
    }
  };
}

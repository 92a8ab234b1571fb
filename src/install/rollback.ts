import { sanitize } from "../output/sanitize.ts";
import type { RemoteHalf } from "../remote/remote-half.ts";
import { parseRestart } from "../remote/restart-report.ts";
import type { RestartReport } from "../remote/restart-report.ts";

/** How the way back went. */
export interface RollbackReport {
  /** The files are as they were. */
  readonly restored: boolean;
  /** Somebody else wrote the file after us: it was left alone. */
  readonly changedByOthers: boolean;
  readonly detail: string;
  /** The restart onto the old files, when one was due. */
  readonly restart: RestartReport;
}

/**
 * Makes the change permanent: disarms the dead-man switch, keeps the backup, unlocks. False: the host had already undone it.
 * `at`, by the host's clock in epoch milliseconds, names the backup; unless it is known, the host looks at its clock.
 */
export async function commit(half: RemoteHalf, run: string, at = Number.NaN): Promise<boolean> {
  // A clock that tells no year of four digits is the host's to read.
  const isUsable = at > 0 && at < 253_402_300_800_000;
  const stamp = isUsable ? new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, "") : "";
  const answer = await half.ask({ verb: "commit", fields: { run, at: stamp } });
  return answer.get("fail") === undefined;
}

/** Puts this run's own backup back and restarts onto it. */
export function rollBack(
  half: RemoteHalf,
  run: string,
  timeoutMs: number,
): Promise<RollbackReport> {
  return takeBack(half, "rollback", { run }, timeoutMs);
}

/** Finishes what an earlier run left unfinished: its backup goes back. */
export function recover(
  half: RemoteHalf,
  fields: Readonly<Record<string, string | number>>,
  timeoutMs: number,
): Promise<RollbackReport> {
  return takeBack(half, "recover", fields, timeoutMs);
}

async function takeBack(
  half: RemoteHalf,
  verb: "rollback" | "recover",
  fields: Readonly<Record<string, string | number>>,
  timeoutMs: number,
): Promise<RollbackReport> {
  const answer = await half.ask({ verb, fields }, { timeoutMs });
  const restart = parseRestart(answer);
  return {
    restored: answer.get("undone") !== undefined,
    changedByOthers: answer.get("fail") === "changed",
    detail: sanitize(answer.all("detail").join(" "), { maxLength: 300 }),
    restart,
  };
}

import type { RemoteHalf } from "../remote/remote-half.ts";
import { parseInspection } from "../remote/inspect-report.ts";
import type { InspectReport } from "../remote/inspect-report.ts";

/** What is asked of a host besides what everybody asks. */
export interface Curiosity {
  /** Run `claude auth status` there. */
  readonly claude: boolean;
  /** Bring the end of the wrapper's log along. */
  readonly log: boolean;
}

/** Looks at what runs the wrapper; the probe must have been asked before. Changes nothing. */
export async function inspect(
  half: RemoteHalf,
  run: string,
  { claude, log }: Curiosity,
): Promise<InspectReport> {
  const ask = [...(claude ? ["claude"] : []), ...(log ? ["log"] : [])].join(" ");
  return parseInspection(await half.ask({ verb: "inspect", fields: { run, ask } }));
}

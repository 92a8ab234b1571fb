import type { RemoteHalf } from "../remote/remote-half.ts";
import { parseProbe } from "../remote/probe-report.ts";
import type { ProbeReport } from "../remote/probe-report.ts";

/** Looks at the host and changes nothing: not a byte is written there. */
export async function probe(
  half: RemoteHalf,
  run: string,
  configDir: string | undefined,
  recipe: Readonly<Record<string, string | number>>,
): Promise<ProbeReport> {
  const fields = { run, dir: configDir ?? "", ...recipe };
  return parseProbe(await half.ask({ verb: "probe", fields }));
}

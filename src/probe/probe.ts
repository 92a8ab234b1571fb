import type { Host } from "../hosts/host.ts";
import { ABSENT, parseHostFiles } from "../remote/host-files.ts";
import type { HostFile } from "../remote/host-files.ts";
import type { RemoteHalf } from "../remote/remote-half.ts";
import { parseProbe } from "../remote/probe-report.ts";
import type { ProbeReport } from "../remote/probe-report.ts";

type Places = Partial<Pick<Host, "configDir" | "project" | "envFile">>;

/** Looks at the host and changes nothing: not a byte is written there. Its last run costs a process more. */
export async function probe(
  half: RemoteHalf,
  run: string,
  { configDir = "", project = "", envFile = "" }: Places,
  recipe: Readonly<Record<string, string | number>>,
  more: { readonly lastRun?: boolean } = {},
): Promise<ProbeReport> {
  const ask = more.lastRun === true ? "last" : "";
  const fields = { run, ask, dir: configDir, project, envfile: envFile, ...recipe };
  return parseProbe(await half.ask({ verb: "probe", fields }));
}

/** One more file of the host, by its absolute path. */
export async function readFile(half: RemoteHalf, run: string, path: string): Promise<HostFile> {
  const answer = await half.ask({ verb: "read", fields: { run, path } });
  return parseHostFiles(answer).get(path) ?? ABSENT;
}

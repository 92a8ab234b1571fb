import { namesSetBy } from "../edits/wiring.ts";
import type { Cures } from "./cures.ts";
import type { WantedFile } from "./delivery-files.ts";
import { formerNames, pathsOf, variableOf } from "./own-files.ts";
import type { PlanQuestion } from "./plan.ts";

/** What the remote half is told for the restart, besides the recipe that every restart of the host has. */
export type Recipe = Readonly<Record<string, string>>;

/**
 * How the wrapper gets its environment at this restart, where the supervisor does not read it by itself, and whether the
 * supervisor must read its own configuration anew.
 */
export function recipeFor(
  { host, report, lastWritten }: Pick<PlanQuestion, "host" | "report" | "lastWritten">,
  cures: Cures,
  different: readonly WantedFile[],
): Recipe {
  const { kind } = host.restart;
  if (kind === "process" || kind === "pm2") {
    const { env } = pathsOf(report.configDir);
    const variable = variableOf(host);
    // What an earlier delivery of ours has brought lives on in the process's own environment.
    const former = namesSetBy(report.files.get(env)?.bytes).filter((name) => name !== variable);
    former.push(...formerNames(host, report, lastWritten));
    return {
      unset: [...new Set([...cures.without, ...former])].join(" "),
      env: variable === undefined || host.envFile !== undefined ? "" : env,
    };
  }
  const isReloadDue =
    (kind === "systemd" && different.some(({ path }) => path === report.wiring)) ||
    (kind === "supervisor" && different.some(({ path }) => cures.edits.has(path)));
  return isReloadDue ? { reload: "yes" } : {};
}

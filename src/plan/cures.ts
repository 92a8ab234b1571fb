import { removeVariables } from "../edits/env-file.ts";
import { removeSettings } from "../edits/settings-file.ts";
import { removeFromEnvironment } from "../edits/supervisor-conf.ts";
import type { Restart } from "../hosts/host.ts";
import type { Finding, ShadowFact } from "../remote/shadow-fact.ts";

/** Changes the text of one file; throws when the text cannot be understood safely. */
export type Edit = (text: string) => string;

/** How to be rid of what outranks a delivery. */
export interface Cures {
  /** Variables that the supervisor shall keep from the wrapper. */
  readonly without: readonly string[];
  /** Edits by path, to be applied in order. */
  readonly edits: ReadonlyMap<string, readonly Edit[]>;
  /** What only a person can remove. */
  readonly uncurable: readonly Finding[];
}

type Cure = { readonly by: "supervisor" } | { readonly by: "edit"; readonly edit: Edit };

/** What `--clear-shadows` does about each finding. Total over every place and supervisor. */
export function findCures(findings: readonly Finding[], restart: Restart): Cures {
  const without = new Set<string>();
  const edits = new Map<string, Edit[]>();
  const uncurable: Finding[] = [];
  for (const finding of findings) {
    const known = finding.sources.map((source) => ({ source, cure: cureOf(source, restart) }));
    // What a process has it got from somewhere: where that is mended, a restart mends the process.
    const isMended = known.some(({ source, cure }) => source.place !== "process" && cure);
    if (known.some(({ source, cure }) => !cure && !(source.place === "process" && isMended))) {
      uncurable.push(finding);
      continue;
    }
    for (const { source, cure } of known) {
      if (cure?.by === "supervisor") without.add(finding.name);
      if (cure?.by === "edit" && source.path !== undefined) {
        edits.set(source.path, [...(edits.get(source.path) ?? []), cure.edit]);
      }
    }
  }
  return { without: [...without], edits, uncurable };
}

function cureOf({ place, name }: ShadowFact, restart: Restart): Cure | undefined {
  switch (place) {
    case "process":
    case "pm2":
      return ["systemd", "process", "pm2"].includes(restart.kind)
        ? { by: "supervisor" }
        : undefined;
    case "unit":
    case "unit-env-file":
    case "shell-rc":
      return { by: "supervisor" };
    case "dot-env":
    case "env-file":
    case "compose-env-file":
      return { by: "edit", edit: (text) => removeVariables(text, [name]) };
    case "settings":
    case "project-settings":
    case "local-settings":
      return {
        by: "edit",
        edit: (text) =>
          removeSettings(text, name === "apiKeyHelper" ? { apiKeyHelper: true } : { env: [name] }),
      };
    case "supervisor":
      return restart.kind === "supervisor"
        ? {
            by: "edit",
            edit: (text) => removeFromEnvironment(text, `program:${restart.program}`, [name]),
          }
        : undefined;
    case "compose":
    case "launchd":
    case "managed-settings":
    case "start-command":
      return undefined;
  }
}

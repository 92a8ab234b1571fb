import type { Json } from "./json-layout.ts";
import { renderPath } from "./parse.ts";
import { describeIssue, toProblems } from "./problem.ts";
import { hostsSchema, type HostsContent } from "./schema.ts";

/** A host as it stands in hosts.json. */
export type HostEntry = Readonly<Record<string, Json>>;

/**
 * What hosts.json's own rules have against a host, in their own words; `undefined` when nothing. With a path only what
 * stands there or below counts: the rest may be still to come.
 */
export function complaintAbout(entry: HostEntry, path: readonly string[] = []): string | undefined {
  const found = problemsOf({ hosts: { [ANY_NAME]: { ssh: ANY_NAME, ...entry } } }).find((problem) =>
    path.every((key, depth) => problem.path[depth + 2] === key),
  );
  return found === undefined
    ? undefined
    : `${renderPath(found.path.slice(2))} ${found.what}`.replace(/^the file /, "it ");
}

/** Why a new host, or a new group, cannot have this name; `undefined` when it can. */
export function complaintAboutName(
  name: string,
  { hosts, groups = {} }: HostsContent,
  kind: "host" | "group" = "host",
): string | undefined {
  const [problem] = problemsOf({ hosts: { [name]: { ssh: ANY_NAME } } });
  if (problem !== undefined) return `\`${name}\` ${problem.what}`;
  if (name === "all") return "`all` is reserved: as a target, it means every host";
  if (Object.hasOwn(hosts, name)) return `there is a host \`${name}\` already`;
  const isTaken = kind === "host" && Object.hasOwn(groups, name);
  return isTaken ? `there is a group \`${name}\` already` : undefined;
}

const ANY_NAME = "a";

function problemsOf(content: unknown) {
  const parsed = hostsSchema.safeParse(content, { error: describeIssue });
  return parsed.success ? [] : toProblems(parsed.error.issues);
}

import { SyncCredsError } from "../errors.ts";
import { buildHosts, type Group } from "./build.ts";
import { parseDocument, type Document } from "./document.ts";
import type { Host } from "./host.ts";
import { describeIssue, toProblems, type Problem } from "./problem.ts";
import { hostsSchema, type HostsContent } from "./schema.ts";

/** What hosts.json says, in its own order, defaults applied and local paths absolute. */
export interface HostsFile {
  /** Where it was found; absolute. */
  readonly path: string;
  readonly hosts: readonly Host[];
  readonly groups: readonly Group[];
}

/** How to read one file: its absolute path, its name for messages, and the meaning of local paths in it. */
export interface Origin {
  readonly path: string;
  readonly shownAs: string;
  readonly toAbsolute: (path: string) => string;
}

const MOST_PROBLEMS = 20;

/** The text of a hosts.json as hosts. Throws one `CONFIG_INVALID` that names every problem and its place. */
export function parseHosts(text: string, origin: Origin): HostsFile {
  const document = parseDocument(text);
  const content = readContent(document, origin);
  const { hosts, groups, problems } = buildHosts(content, origin.toAbsolute);
  verifyNone(problems, document, origin);
  return { path: origin.path, hosts, groups };
}

/** What the text says, before defaults are applied; that something is left out is not seen here. Errors: as above. */
export function parseContent(text: string, origin: Origin): HostsContent {
  return readContent(parseDocument(text), origin);
}

function readContent(document: Document, origin: Origin): HostsContent {
  verifyNone(document.problems, document, origin);
  const parsed = hostsSchema.safeParse(document.value, { error: describeIssue });
  if (parsed.success) return parsed.data;
  throw invalid(toProblems(parsed.error.issues), document, origin);
}

function verifyNone(found: readonly Problem[], document: Document, origin: Origin): void {
  if (found.length > 0) throw invalid(found, document, origin);
}

function invalid(found: readonly Problem[], document: Document, origin: Origin): SyncCredsError {
  const lines = found.slice(0, MOST_PROBLEMS).map((problem) => {
    return `${origin.shownAs}:${document.placeOf(problem)} ${renderPath(problem.path)} ${problem.what}`;
  });
  if (found.length > lines.length) lines.push(`and ${found.length - lines.length} more`);
  const count = found.length === 1 ? "one problem" : `${found.length} problems`;
  return new SyncCredsError("CONFIG_INVALID", `${origin.shownAs} has ${count}`, {
    why: lines.join("\n"),
    next: [`Edit \`${origin.shownAs}\`; \`sync-creds schema\` prints what it may hold`],
  });
}

/** `hosts.web-1.restart.unit`; odd keys are quoted and shortened. */
export function renderPath(path: readonly (string | number)[]): string {
  if (path.length === 0) return "the file";
  const keys = path.map((key) => {
    if (typeof key === "number") return `[${key}]`;
    return /^[\w$.-]{1,64}$/.test(key) ? `.${key}` : `[${JSON.stringify(key.slice(0, 32))}]`;
  });
  return keys.join("").replace(/^\./, "");
}

import { removeVariables, setVariable } from "../edits/env-file.ts";
import { removeSettings, withApiKeyHelper } from "../edits/settings-file.ts";
import { isOurs, namesLeftOut, renderDropIn, renderOverride } from "../edits/wiring.ts";
import type { Host } from "../hosts/host.ts";
import { ABSENT, octalOf } from "../remote/host-files.ts";
import type { ProbeReport } from "../remote/probe-report.ts";
import { Secret } from "../secret.ts";
import { mergeCredentials, withoutLogin } from "./changes.ts";
import type { Cures, Edit } from "./cures.ts";
import { leavesLogin } from "./failover.ts";
import { isHelperOurs } from "./in-use.ts";
import { HELPER, envFileOf, formerNames, helperCommand, pathsOf, variableOf } from "./own-files.ts";
import type { Offer } from "./plan.ts";

/** A file as a delivery wants it. */
export interface WantedFile {
  readonly path: string;
  readonly mode: string;
  /** `undefined`: it shall not be there. */
  readonly content: Secret | undefined;
  readonly asRoot: boolean;
}

/** All files that a delivery is about; or the path of one that has yet to be read, or cannot be changed safely. */
export type Wanted =
  | { readonly kind: "files"; readonly files: readonly WantedFile[] }
  | { readonly kind: "unread"; readonly path: string }
  | { readonly kind: "unfit"; readonly path: string; readonly why: string };

export interface DeliveryQuestion {
  readonly host: Host;
  readonly offer: Offer;
  readonly report: ProbeReport;
  readonly cures: Cures;
  /** Fingerprints that this laptop wrote to this host before. */
  readonly lastWritten: readonly string[];
}

/**
 * Every file that matters to a delivery, as it shall be: what it brings, what an earlier delivery has left, and what the
 * cures change. A file that is already so is among them.
 */
export function wantedFiles(question: DeliveryQuestion): Wanted {
  try {
    return { kind: "files", files: collect(question) };
  } catch (thrown) {
    if (thrown instanceof Unread) return { kind: "unread", path: thrown.path };
    if (thrown instanceof Unfit) return { kind: "unfit", path: thrown.path, why: thrown.message };
    throw thrown;
  }
}

function collect({ host, offer, report, cures, lastWritten }: DeliveryQuestion): WantedFile[] {
  const at = pathsOf(report.configDir);
  const { means } = host;
  const variable = variableOf(host);
  const isLeft = leavesLogin(offer);
  const hasEnv = report.files.get(at.env)?.bytes !== undefined;
  const bringsEnv = isLeft ? hasEnv : variable !== undefined && host.envFile === undefined;
  const edits = new Map(cures.edits);
  const add = (path: string, edit: Edit) => edits.set(path, [...(edits.get(path) ?? []), edit]);

  if (means === "key-helper") {
    add(at.settings, (text) =>
      withApiKeyHelper(text === "" ? undefined : text, helperCommand(host, at.script)),
    );
  } else if (isHelperOurs(report.files.get(at.settings)?.bytes)) {
    add(at.settings, (text) => removeSettings(text, { apiKeyHelper: true }));
  }
  const envFile = envFileOf(host, report);
  const former = isLeft ? [] : formerNames(host, report, lastWritten);
  if (envFile !== undefined && former.length > 0)
    add(envFile, (text) => removeVariables(text, former));
  if (variable !== undefined && envFile !== undefined && !isLeft) {
    add(envFile, (text) => setVariable(text, variable, reveal(offer.value)));
  }
  return [
    ...(isLeft ? [] : credentialsOf(host, offer, report)),
    ...(isLeft ? [] : [whole(at.env, bringsEnv ? lineOf(offer.value, `${variable}=`) : undefined)]),
    ...keyFileOf(host, offer, report),
    whole(at.script, means === "key-helper" ? new Secret(HELPER) : undefined, "700"),
    ...wiringOf(host, report, cures.without, bringsEnv ? at.env : undefined),
    ...[...edits].map(([path, all]) => edited(report, path, all, path === envFile)),
  ];
}

/** The key that the helper prints, or that lies ready for `failover`: brought from here, or there already. */
function keyFileOf({ means, backup }: Host, offer: Offer, report: ProbeReport): WantedFile[] {
  const { key } = pathsOf(report.configDir);
  const value = means === "key-helper" ? offer.value : offer.spare;
  if (value !== undefined) return [whole(key, new Secret(`${value.reveal()}\n`))];
  return backup === undefined ? [whole(key, undefined)] : [];
}

function credentialsOf({ means }: Host, { block }: Offer, report: ProbeReport): WantedFile[] {
  const { credentials } = pathsOf(report.configDir);
  if (means === "file" && block !== undefined) {
    return [whole(credentials, mergeCredentials(report.file, block).content)];
  }
  // A stale file was seen to win over a good variable (Claude Code 2.1.177): it must not stay.
  if (means !== "oauth-variable" || report.file === undefined) return [];
  return [whole(credentials, withoutLogin(report.file))];
}

function wiringOf(
  { restart, means }: Host,
  { wiring, files }: ProbeReport,
  without: readonly string[],
  envFile: string | undefined,
): WantedFile[] {
  if (wiring === undefined) return [];
  const found = files.get(wiring)?.bytes;
  if (restart.kind === "systemd") {
    // What is left out is left out last of all: not what this delivery brings.
    const brought = variableOf({ means });
    const names = [...new Set([...namesLeftOut(found), ...without])].filter(
      (name) => envFile === undefined || name !== brought,
    );
    const content = renderDropIn({ without: names, envFile });
    return ours(wiring, found, content, restart.scope === "system");
  }
  if (restart.kind !== "docker-compose") return [];
  return ours(wiring, found, renderOverride(restart.service, { envFile }), false);
}

/** A file that supervisors read and that may be somebody else's: then it is not ours to replace, nor to remove. */
function ours(
  path: string,
  found: Buffer | undefined,
  content: Secret | undefined,
  asRoot: boolean,
): WantedFile[] {
  if (isOurs(found)) return [{ ...whole(path, content, "644"), asRoot }];
  if (content === undefined) return [];
  throw new Unfit(path, "it is not one that sync-creds wrote; set `envFile` in hosts.json");
}

function whole(path: string, content: Secret | undefined, mode = "600"): WantedFile {
  return { path, mode, content, asRoot: false };
}

function edited(
  report: ProbeReport,
  path: string,
  edits: readonly Edit[],
  holdsSecret: boolean,
): WantedFile {
  const isSettings = path.endsWith(".json");
  const seen = report.files.get(path) ?? (isSettings ? ABSENT : undefined);
  if (seen === undefined) throw new Unread(path);
  if (seen.kind !== "absent" && seen.bytes === undefined) {
    throw new Unfit(
      path,
      `it is a ${seen.kind} of mode ${seen.mode} that cannot be read as a text`,
    );
  }
  if (seen.kind === "absent" && !isSettings && !holdsSecret) throw new Unfit(path, "it is gone");
  let text = decode(path, seen.bytes ?? Buffer.alloc(0));
  for (const edit of edits) {
    try {
      text = edit(text);
    } catch {
      // Its message is left out: it may hold a part of the text.
      throw new Unfit(path, "it cannot be understood safely");
    }
  }
  const mode = seen.kind === "absent" || holdsSecret ? "600" : octalOf(seen.mode);
  const asRoot = seen.uid === 0 && report.uid !== 0 && path.startsWith("/etc/");
  return { path, mode, content: new Secret(text), asRoot };
}

function decode(path: string, bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Unfit(path, "it is not UTF-8");
  }
}

function lineOf(value: Secret | undefined, before: string): Secret {
  return new Secret(`${before}${reveal(value)}\n`);
}

function reveal(value: Secret | undefined): string {
  if (value === undefined) throw new Error("this delivery has nothing to put there");
  return value.reveal();
}

class Unread extends Error {
  readonly path: string;
  constructor(path: string) {
    super(path);
    this.path = path;
  }
}

class Unfit extends Error {
  readonly path: string;
  constructor(path: string, why: string) {
    super(why);
    this.path = path;
  }
}

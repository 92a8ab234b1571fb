import { parseCredentials } from "../credentials/parse.ts";
import { SyncCredsError } from "../errors.ts";
import type { Ports } from "../ports.ts";
import { keychainUnreadable, notFound, UNLOCK } from "./failures.ts";
import type { KeychainAnswer } from "./keychain.ts";
import { describeHolding, worthOf } from "./located.ts";
import type { Located } from "./located.ts";
import { readCredentialsFile } from "./read-file.ts";
import { readKeychain } from "./read-keychain.ts";
import type { Source } from "./sources.ts";

/** What looking at one file has brought. */
interface Finding {
  readonly label: string;
  readonly located?: Located;
  readonly trouble?: SyncCredsError;
}

/**
 * Of Keychain and file the login that lasts longer: Claude Code writes to both, and either may have been left behind. Old
 * places are looked at only when neither is valid. Errors: `CREDENTIALS_NOT_FOUND`, `CREDENTIALS_UNREADABLE`,
 * `INTERRUPTED`.
 */
export async function locateOnMac(
  sources: readonly Source[],
  ports: Ports,
  signal?: AbortSignal,
): Promise<Located> {
  const now = ports.now();
  const worth = ({ located }: Finding) =>
    located === undefined ? -2 : worthOf(located.credentials, now);
  const answer = await readKeychain(ports, signal);
  const findings = [describeAnswer(answer, sources)];
  for (const source of sources) {
    if (source.isLegacy && findings.some((finding) => worth(finding) > now)) break;
    findings.push(await lookInto(source, ports));
  }

  // Of equals the first one: the Keychain is where Claude Code itself looks first.
  const best = findings.reduce((one, other) => (worth(other) > worth(one) ? other : one));
  const others = findings.filter((finding) => finding !== best);
  // A login that is over is often what was left behind when the Keychain got the one that cannot be read now.
  if (worth(best) <= now && (answer.kind === "locked" || answer.kind === "unreadable")) {
    throw keychainUnreadable(answer, describeAll(findings.slice(1), now));
  }
  const trouble = findings.find((finding) => finding.trouble !== undefined)?.trouble;
  // Where no login has been found at all, it may be in the file that cannot be read.
  if (trouble !== undefined && worth(best) < 0) throw trouble;
  if (best.located === undefined) {
    const looks = findings.map(({ label }) => ({ label, found: "nothing" }));
    throw notFound(sources, looks, ports);
  }
  const { located } = best;
  return {
    ...located,
    notes: [
      ...noteAnswer(answer, located),
      ...others.flatMap((other) => compare(located, other, now)),
      ...located.notes,
    ],
  };
}

function describeAnswer(answer: KeychainAnswer, sources: readonly Source[]): Finding {
  const variable = sources.find((source) => source.variable !== undefined)?.variable;
  const label = variable === undefined ? "the Keychain" : `the Keychain (${variable})`;
  if (answer.kind !== "found") return { label };
  const parsed = parseCredentials(answer.bytes, label);
  // Without `claudeAiOauth` around it Claude Code takes nothing there for its login.
  const isFlat = parsed.kind === "login" && parsed.shape === "flat";
  const credentials = isFlat ? { place: label, kind: "no-login" as const } : parsed;
  return { label, located: { label, credentials, notes: [] } };
}

async function lookInto(source: Source, ports: Ports): Promise<Finding> {
  const { label } = source;
  try {
    const located = await readCredentialsFile(source, ports);
    return located === undefined ? { label } : { label, located };
  } catch (error) {
    // The Keychain may do without it.
    if (error instanceof SyncCredsError) return { label, trouble: error };
    throw error;
  }
}

function describeAll(findings: readonly Finding[], now: number): string {
  return findings.map((finding) => `${finding.label}: ${describe(finding, now)}`).join("; ");
}

function describe({ located, trouble }: Finding, now: number): string {
  if (trouble !== undefined) return `unreadable, for ${trouble.why ?? trouble.message}`;
  return located === undefined ? "nothing" : describeHolding(located.credentials, now);
}

function noteAnswer(answer: KeychainAnswer, used: Located): string[] {
  if (answer.kind !== "locked" && answer.kind !== "unreadable") return [];
  const why = answer.kind === "locked" ? "it is locked, as is usual over SSH" : answer.why;
  return [
    `${used.label} was read, not the Keychain: ${why}; if a newer login is in it, run \`${UNLOCK}\` and push again`,
  ];
}

/** What another place holds; that it holds nothing needs no word. */
function compare(used: Located, other: Finding, now: number): string[] {
  if (other.trouble !== undefined) return [`${used.label} was read; ${other.trouble.message}`];
  if (other.located === undefined) return [];
  const { credentials } = other.located;
  const [mine, its] = [used.credentials, credentials].map((one) =>
    one.kind === "login" ? one.login.accessToken : undefined,
  );
  if (mine !== undefined && its?.equals(mine) === true) {
    return [`${used.label} was read; ${other.label} holds the same token`];
  }
  const isNewer = worthOf(credentials, now) > 0 && worthOf(used.credentials, now) > 0;
  const verb = isNewer ? "holds the newer login" : "was read";
  return [`${used.label} ${verb}; ${other.label} holds ${describeHolding(credentials, now)}`];
}

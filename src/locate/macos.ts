import { parseCredentials } from "../credentials/parse.ts";
import { SyncCredsError } from "../errors.ts";
import type { Ports } from "../ports.ts";
import { keychainLocked, keychainUnreadable, notFound } from "./failures.ts";
import { keychainItem } from "./keychain.ts";
import type { KeychainItem } from "./keychain.ts";
import { describeHolding, describeOther, worthOf } from "./located.ts";
import type { Located } from "./located.ts";
import { readCredentialsFile } from "./read-file.ts";
import { readKeychain } from "./read-keychain.ts";
import type { Source } from "./sources.ts";

/** What looking at one place has brought. */
interface Finding {
  readonly label: string;
  readonly located?: Located;
  /** Why nobody can say what is there. */
  readonly trouble?: SyncCredsError;
}

/**
 * Of Keychain and file the login that is valid for longest: Claude Code writes both, and either may have been left behind.
 * Old places are looked at only when neither is valid. Errors: `CREDENTIALS_NOT_FOUND`, `CREDENTIALS_UNREADABLE`,
 * `INTERRUPTED`.
 */
export async function locateOnMac(
  sources: readonly Source[],
  ports: Ports,
  signal: AbortSignal | undefined,
): Promise<Located> {
  const now = ports.now();
  const worth = ({ located }: Finding) =>
    located === undefined ? -2 : worthOf(located.credentials, now);
  const keychain = await lookInKeychain(keychainItem(ports), ports, signal);
  const findings = [keychain];
  for (const source of sources) {
    if (source.isLegacy && findings.some((finding) => worth(finding) > now)) break;
    findings.push(await lookInFile(source, ports));
  }

  // The first of equals: the Keychain is where Claude Code looks first.
  const best = findings.reduce((one, other) => (worth(other) > worth(one) ? other : one));
  // A login whose time is over is often a leftover of the one that cannot be read now.
  if (worth(best) <= now && keychain.trouble !== undefined) throw keychain.trouble;
  const used = best.located;
  if (used === undefined) {
    const trouble = findings.find((finding) => finding.trouble !== undefined)?.trouble;
    const looks = findings.map(({ label }) => ({ label, found: "nothing" }));
    throw trouble ?? notFound(sources, looks, ports);
  }
  const others = findings.filter((finding) => finding !== best);
  return {
    ...used,
    notes: [...others.flatMap((other) => compare(other, used, now)), ...used.notes],
  };
}

async function lookInKeychain(
  item: KeychainItem,
  ports: Ports,
  signal: AbortSignal | undefined,
): Promise<Finding> {
  const label = labelOf(item);
  const answer = await readKeychain(item, ports, signal);
  switch (answer.kind) {
    case "absent":
      return { label };
    case "locked":
      return { label, trouble: keychainLocked(label) };
    case "unreadable":
      return { label, trouble: keychainUnreadable(label, answer.why, item) };
    case "item": {
      const parsed = parseCredentials(answer.bytes, label);
      // Without `claudeAiOauth` around it Claude Code takes nothing in the Keychain for its login.
      const isFlat = parsed.kind === "login" && parsed.shape === "flat";
      const credentials = isFlat ? { place: label, kind: "no-login" as const } : parsed;
      return { label, located: { label, credentials, notes: [] } };
    }
  }
}

function labelOf({ service }: KeychainItem): string {
  return service.endsWith("-credentials")
    ? "the macOS Keychain"
    : `the macOS Keychain (item "${service}")`;
}

async function lookInFile(source: Source, ports: Ports): Promise<Finding> {
  const { label } = source;
  try {
    const located = await readCredentialsFile(source, ports);
    return located === undefined ? { label } : { label, located };
  } catch (error) {
    if (error instanceof SyncCredsError) return { label, trouble: error };
    throw error;
  }
}

/** What a place holds beside the login that was used; nothing needs no word where a file could be. */
function compare({ label, located, trouble }: Finding, used: Located, now: number): string[] {
  if (trouble !== undefined) {
    return [
      `the login in ${used.label} was used; ${trouble.message}, so a newer one may be there. ${trouble.next[0] ?? ""}`,
    ];
  }
  if (located === undefined) {
    const isFile = used.path === undefined || !label.startsWith("the macOS Keychain");
    return isFile ? [] : [`the login in ${used.label} was used; ${label} holds none`];
  }
  const both = `the login in ${used.label} was used (${describeHolding(used.credentials, now)})`;
  return [`${both}; ${label} holds ${describeOther(located, used, now)}`];
}

import { applyEdits, modify, parseTree } from "jsonc-parser";
import { fingerprintOf } from "../credentials/fingerprint.ts";
import { parseCredentials } from "../credentials/schema.ts";
import type { Credentials } from "../credentials/schema.ts";
import { Secret } from "../secret.ts";
import type { HostLogin } from "./chain-guard.ts";

/** The credentials file that a host shall have. */
export interface Merged {
  readonly content: Secret;
  /** Why nothing of the former file could be kept; undefined when it was kept, or there was none. */
  readonly why: string | undefined;
}

/**
 * The host's own file with our block in it: only the value of `claudeAiOauth` changes, everything else stays byte for
 * byte, for it is the host's (its MCP logins, above all). A file that Claude Code could not read is replaced whole.
 */
export function mergeCredentials(hostFile: Buffer | undefined, block: Secret): Merged {
  const fresh = new Secret(`{"claudeAiOauth":${block.reveal()}}\n`);
  if (hostFile === undefined) return { content: fresh, why: undefined };
  const why = findDamage(hostFile);
  if (why !== undefined) return { content: fresh, why };
  const text = hostFile.toString("utf8");
  const edits = modify(text, ["claudeAiOauth"], JSON.parse(block.reveal()), {});
  return { content: new Secret(applyEdits(text, edits)), why: undefined };
}

/** What login a host's file holds, in fingerprints. */
export function describeHostLogin(hostFile: Buffer | undefined): HostLogin {
  if (hostFile === undefined) return { state: "absent" };
  const credentials = parseCredentials(hostFile);
  if (credentials.shape !== "login" || credentials.isFlat) {
    return { state: findDamage(hostFile) === undefined ? "no-login" : "corrupt" };
  }
  const { accessToken, refreshToken, expiresAt } = credentials.login;
  if (accessToken.reveal() === "") return { state: "blanked" };
  return {
    state: "login",
    fingerprint: fingerprintOf(accessToken),
    refreshFingerprint: refreshToken && fingerprintOf(refreshToken),
    expiresAt,
  };
}

/** Why a file is not one that Claude Code reads, and we could keep. */
function findDamage(file: Buffer): string | undefined {
  const { shape } = parseCredentials(file);
  return DAMAGE.get(shape) ?? (hasTwoBlocks(file) ? "it names `claudeAiOauth` twice" : undefined);
}

const DAMAGE: ReadonlyMap<Credentials["shape"], string> = new Map([
  ["empty", "it is empty"],
  ["byte-order-mark", "it starts with a byte order mark"],
  ["not-utf8", "it is not UTF-8"],
  ["half-written", "it is cut off"],
  ["not-json", "it is not JSON"],
  ["hex", "it is not JSON"],
  ["not-an-object", "it holds no object"],
]);

function hasTwoBlocks(file: Buffer): boolean {
  const properties = parseTree(file.toString("utf8"))?.children ?? [];
  return properties.filter(({ children }) => children?.[0]?.value === "claudeAiOauth").length > 1;
}

import { Secret } from "../secret.ts";
import { findMember, isObject, parseJsonText } from "./json-text.ts";
import type { JsonFlaw } from "./json-text.ts";
import { LOGIN_KEYS, LoginBlock, describeIssues } from "./schema.ts";
import type { TypeProblem } from "./schema.ts";

/** What a credentials file turned out to be. `place` is what messages call the file. */
export type Credentials = { readonly place: string } & (
  | {
      readonly kind: "login";
      readonly login: Login;
      /** `flat`: without `claudeAiOauth` around it; Claude Code does not read that. */
      readonly shape: "wrapped" | "flat";
      /** The file spells the JSON in hexadecimal digits, as the macOS Keychain may print it. */
      readonly hex: boolean;
    }
  | { readonly kind: "wrong-types"; readonly problems: readonly TypeProblem[] }
  | { readonly kind: Misfit }
);

/** A file without a login that Claude Code could use. */
export type Misfit =
  | JsonFlaw
  | "not-object"
  | "snake-case"
  | "foreign-wrapping"
  | "mcp-only"
  | "api-key-only"
  | "no-login";

/** One login of Claude Code, tokens wrapped. Instants are epoch milliseconds, as far as the file keeps to that. */
export interface Login {
  /** JSON text of the whole block. */
  readonly block: Secret;
  /** `undefined` when blank: Claude Code empties it after a rejected renewal. */
  readonly accessToken: Secret | undefined;
  /** `undefined` when absent, `null` or blank: nobody can renew this login. */
  readonly refreshToken: Secret | undefined;
  readonly expiresAt: number | undefined;
  /** The login deadline: then only a new login helps. */
  readonly refreshTokenExpiresAt: number | undefined;
  readonly scopes: readonly string[];
  /** A token is a stand-in: some proxy puts the real one in its place. */
  readonly isPlaceholder: boolean;
}

/** Keys that Claude Code keeps beside a login: a file may hold them alone (seen on macOS with 2.1.x). */
const MACHINE_KEYS = [
  "mcpOAuth",
  "mcpOAuthClientConfig",
  "mcpXaaIdp",
  "mcpXaaIdpConfig",
  "pluginSecrets",
];

/** Says what the bytes of a credentials file are. Total: never throws, never quotes them. */
export function parseCredentials(bytes: Uint8Array, place = "the credentials file"): Credentials {
  const json = parseJsonText(bytes);
  if (json.kind !== "json") {
    const decoded = decodeHex(json.text);
    if (decoded === undefined) return { place, kind: json.kind };
    const parsed = parseCredentials(decoded, place);
    return parsed.kind === "login" ? { ...parsed, hex: true } : parsed;
  }
  const { text, value } = json;
  if (!isObject(value)) return { place, kind: "not-object" };
  if (isFlat(value)) return parseFlat(value, place);
  const span = findMember(text, "claudeAiOauth");
  const block = value["claudeAiOauth"];
  if (span === undefined || block === null) return { place, kind: nameMisfit(value) };
  if (isObject(block) && isSnakeCase(block)) return { place, kind: "snake-case" };
  const blockText = text.slice(span.start, span.end);
  return parseBlock(block, blockText, { place, shape: "wrapped" });
}

interface Setting {
  readonly place: string;
  readonly shape: "wrapped" | "flat";
}

function parseBlock(
  block: unknown,
  text: string | undefined,
  { place, shape }: Setting,
): Credentials {
  const checked = LoginBlock.safeParse(block);
  if (!checked.success) {
    const base = shape === "wrapped" ? ["claudeAiOauth"] : [];
    return { place, kind: "wrong-types", problems: describeIssues(checked.error.issues, base) };
  }
  const { accessToken, refreshToken, expiresAt, refreshTokenExpiresAt, scopes } = checked.data;
  const login: Login = {
    block: new Secret(text ?? JSON.stringify(block)),
    accessToken: wrapToken(accessToken),
    refreshToken: wrapToken(refreshToken),
    expiresAt: expiresAt ?? undefined,
    refreshTokenExpiresAt: refreshTokenExpiresAt ?? undefined,
    scopes: scopes ?? [],
    isPlaceholder: [accessToken, refreshToken ?? ""].some(isPlaceholder),
  };
  return { place, kind: "login", login, shape, hex: false };
}

/** Only the known keys: at the top of a file, others may be the secrets of something else. */
function parseFlat(root: Record<string, unknown>, place: string): Credentials {
  const block = Object.fromEntries(
    Object.entries(root).filter(([key]) => LOGIN_KEYS.includes(key)),
  );
  return parseBlock(block, undefined, { place, shape: "flat" });
}

function nameMisfit(root: Record<string, unknown>): Misfit {
  if (isSnakeCase(root)) return "snake-case";
  if (isObject(root["claude_ai_oauth"])) return "foreign-wrapping";
  if (MACHINE_KEYS.some((key) => key in root)) return "mcp-only";
  return typeof root["primaryApiKey"] === "string" ? "api-key-only" : "no-login";
}

function isFlat(root: Record<string, unknown>): boolean {
  return "accessToken" in root && !isObject(root["claudeAiOauth"]);
}

function isSnakeCase(block: Record<string, unknown>): boolean {
  return "access_token" in block && !("accessToken" in block);
}

function wrapToken(token: string | null | undefined): Secret | undefined {
  return token === null || token === undefined || token === "" ? undefined : new Secret(token);
}

/**
 * Whether a token is a stand-in's made-up word. Short words count between dashes only: the random part of a real token
 * may spell them.
 */
export function isPlaceholder(token: string): boolean {
  return (
    /placeholder|redacted|\.\.\./i.test(token) || /(?:^|[-_])(?:moat|proxy)(?:[-_]|$)/i.test(token)
  );
}

function decodeHex(text: string | undefined): Buffer | undefined {
  const digits = text?.trim() ?? "";
  // 7b is `{`: without it hexadecimal text would be found in any file of digits.
  return /^7b[0-9a-f]*$/i.test(digits) && digits.length % 2 === 0
    ? Buffer.from(digits, "hex")
    : undefined;
}

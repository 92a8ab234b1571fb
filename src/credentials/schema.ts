import * as z from "zod/mini";
import { Secret } from "../secret.ts";

/** A Claude login: the `claudeAiOauth` block of a credentials file. Instants are epoch milliseconds. */
export interface Login {
  readonly accessToken: Secret;
  readonly refreshToken: Secret | undefined;
  readonly expiresAt: number | undefined;
  /** When the login itself ends, however often the access token is renewed. */
  readonly refreshTokenExpiresAt: number | undefined;
  readonly scopes: readonly string[] | undefined;
  /** The whole block, as JSON text. */
  readonly block: Secret;
}

/**
 * What a credentials file holds. `login`: a block with the right types, be it alive or not. Everything else is a shape
 * met in the field that is not a login, by name.
 */
export type Credentials =
  | { readonly shape: "login"; readonly login: Login; readonly isFlat: boolean }
  | { readonly shape: "wrong-type"; readonly path: string; readonly expected: string }
  | { readonly shape: OtherShape };

export type OtherShape =
  | "empty"
  | "byte-order-mark"
  | "not-utf8"
  | "half-written"
  | "not-json"
  | "hex"
  | "not-an-object"
  | "snake-case"
  | "foreign-key"
  | "mcp-only"
  | "api-key"
  | "no-login";

/** Reads the bytes of a credentials file. Total: any bytes have a shape, and nothing of them is ever quoted. */
export function parseCredentials(bytes: Buffer): Credentials {
  if (bytes.length === 0) return { shape: "empty" };
  if (bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)) return { shape: "byte-order-mark" };
  const text = bytes.toString("utf8");
  if (!Buffer.from(text).equals(bytes)) return { shape: "not-utf8" };
  if (text.trim() === "") return { shape: "empty" };
  const json = parseJson(text);
  if (json === undefined) return { shape: shapeOfText(text.trim()) };
  if (!isRecord(json)) return { shape: "not-an-object" };
  if (json["claudeAiOauth"] !== undefined) return parseBlock(json["claudeAiOauth"], false);
  if (typeof json["accessToken"] === "string") return parseBlock(json, true);
  return { shape: shapeOfObject(json) };
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

const instant = z.optional(z.nullable(z.number().check(z.int(), z.nonnegative())));
const Block = z.looseObject({
  accessToken: z.string(),
  refreshToken: z.optional(z.nullable(z.string())),
  expiresAt: instant,
  refreshTokenExpiresAt: instant,
  scopes: z.optional(z.nullable(z.array(z.string()))),
  subscriptionType: z.optional(z.nullable(z.string())),
  rateLimitTier: z.optional(z.nullable(z.string())),
});

function parseBlock(value: unknown, isFlat: boolean): Credentials {
  const parsed = Block.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const path = [...(isFlat ? [] : ["claudeAiOauth"]), ...(issue?.path ?? [])].join(".");
    const expected =
      issue !== undefined && "expected" in issue ? String(issue.expected) : "another value";
    return { shape: "wrong-type", path, expected };
  }
  const { accessToken, refreshToken, expiresAt, refreshTokenExpiresAt, scopes } = parsed.data;
  const login: Login = {
    accessToken: new Secret(accessToken),
    // Claude Code writes "" when the service has refused the token.
    refreshToken: refreshToken ? new Secret(refreshToken) : undefined,
    expiresAt: expiresAt ?? undefined,
    refreshTokenExpiresAt: refreshTokenExpiresAt ?? undefined,
    scopes: scopes ?? undefined,
    block: new Secret(JSON.stringify(parsed.data)),
  };
  return { shape: "login", login, isFlat };
}

function shapeOfText(text: string): OtherShape {
  // macOS prints a Keychain item as hex as soon as one byte of it is not plain ASCII.
  if (/^(?:[0-9a-f]{2})+$/i.test(text)) return "hex";
  return /^[{[]/.test(text) && !/[}\]]$/.test(text) ? "half-written" : "not-json";
}

function shapeOfObject(json: Record<string, unknown>): OtherShape {
  if (typeof json["access_token"] === "string") return "snake-case";
  if (json["claude_ai_oauth"] !== undefined) return "foreign-key";
  if (typeof json["primaryApiKey"] === "string") return "api-key";
  return json["mcpOAuth"] === undefined ? "no-login" : "mcp-only";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

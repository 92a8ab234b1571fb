import { fingerprintOf } from "../credentials/fingerprint.ts";
import {
  JSON_FLAWS,
  findMember,
  isObject,
  parseJsonText,
  withoutMembers,
} from "../credentials/json-text.ts";
import { Secret } from "../secret.ts";
import type { HostLogin } from "./chain-guard.ts";

/** The credentials file as the host shall have it. */
export interface Merged {
  readonly content: Secret;
  /** Nothing of the former file could be kept. */
  readonly replacedWhole: boolean;
  /** Why not: `it is not JSON`. */
  readonly why?: string;
}

/**
 * The host's file with `block` (JSON text) as its `claudeAiOauth` and every other byte as it was. A file
 * that Claude Code could not read either is replaced whole.
 */
export function mergeCredentials(hostFile: Buffer | undefined, block: Secret): Merged {
  const value = block.reveal();
  const fresh = new Secret(`{"claudeAiOauth":${value}}\n`);
  if (hostFile === undefined) return { content: fresh, replacedWhole: false };
  const json = parseJsonText(hostFile);
  if (json.kind !== "json")
    return { content: fresh, replacedWhole: true, why: JSON_FLAWS[json.kind] };
  if (!isObject(json.value)) {
    return { content: fresh, replacedWhole: true, why: "it is no JSON object" };
  }
  const { text } = json;
  const span = findMember(text, "claudeAiOauth");
  if (span !== undefined) {
    const content = text.slice(0, span.start) + value + text.slice(span.end);
    return { content: new Secret(content), replacedWhole: false };
  }
  const inside = text.indexOf("{") + 1;
  const comma = Object.keys(json.value).length > 0 ? "," : "";
  const content = `${text.slice(0, inside)}"claudeAiOauth":${value}${comma}${text.slice(inside)}`;
  return { content: new Secret(content), replacedWhole: false };
}

/** The host's file without its login, every other byte as it was; `undefined` when nothing else was in it. */
export function withoutLogin(hostFile: Buffer): Secret | undefined {
  const json = parseJsonText(hostFile);
  if (json.kind !== "json" || !isObject(json.value)) return undefined;
  const rest = Object.keys(json.value).filter((key) => key !== "claudeAiOauth");
  if (rest.length === 0) return undefined;
  return new Secret(withoutMembers(json.text, 0, ({ key }) => key === "claudeAiOauth"));
}

/**
 * The login that lies on a host. Read leniently: what might be alive in any version of Claude Code counts
 * as a login, so that it is not destroyed unasked.
 */
export function describeHostLogin(hostFile: Buffer | undefined): HostLogin {
  if (hostFile === undefined) return { state: "absent" };
  const json = parseJsonText(hostFile);
  if (json.kind !== "json" || !isObject(json.value)) return { state: "corrupt" };
  const block = json.value["claudeAiOauth"];
  if (!isObject(block)) return { state: "no-login" };
  const fingerprint = fingerprintOfToken(block["accessToken"]);
  const refreshFingerprint = fingerprintOfToken(block["refreshToken"]);
  const { expiresAt, refreshTokenExpiresAt: loginEndsAt } = block;
  const isSpent = fingerprint === undefined || expiresAt === 0;
  if (isSpent && refreshFingerprint === undefined) return { state: "blanked" };
  return {
    state: "login",
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(refreshFingerprint === undefined ? {} : { refreshFingerprint }),
    ...(typeof expiresAt === "number" ? { expiresAt } : {}),
    ...(typeof loginEndsAt === "number" ? { loginEndsAt } : {}),
  };
}

function fingerprintOfToken(token: unknown): string | undefined {
  return typeof token === "string" && token !== "" ? fingerprintOf(new Secret(token)) : undefined;
}

import { isObject } from "../credentials/json-text.ts";
import { note, ok, warn } from "../diagnosis.ts";
import type { Check } from "../diagnosis.ts";
import type { Means } from "../hosts/host.ts";
import { printable } from "../remote/printable.ts";

/** Which credential Claude Code says that it would use. It says so of a dead one, too. */
export interface ClaudeStatus {
  readonly loggedIn: boolean;
  /** `claude.ai`, `oauth_token`, `api_key`, `api_key_helper`, `third_party`, `none`… */
  readonly method: string;
  readonly keySource: string | undefined;
}

/** Reads what `claude auth status --json` printed (seen with 2.1.330); undefined for whatever else it may be. */
export function parseClaudeStatus(bytes: Uint8Array): ClaudeStatus | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { loggedIn, authMethod, apiKeySource } = value;
  if (typeof loggedIn !== "boolean" || typeof authMethod !== "string") return undefined;
  const keySource = typeof apiKeySource === "string" ? printable(apiKeySource) : undefined;
  return { loggedIn, method: printable(authMethod), keySource };
}

/** The cross-check: what Claude Code would use, against what the delivery brings and what was found to outrank it. */
export function checkClaudeStatus(bytes: Uint8Array, means: Means, isShadowed: boolean): Check {
  const status = parseClaudeStatus(bytes);
  if (status === undefined) {
    return note("claude", "`claude auth status` gave no answer that could be read there", [
      "it knows `--json` from 2.1 on, and must be on the wrapper's PATH",
    ]);
  }
  const source = status.keySource === undefined ? "" : ` from ${status.keySource}`;
  const says = `Claude Code there says it would use ${status.method}${source}`;
  if (status.method === METHODS[means]) return ok("claude", says);
  if (isShadowed) return note("claude", says);
  return warn("claude", `${says}, not ${METHODS[means]}, which this delivery brings`, {
    evidence: ["nothing that sync-creds knows of outranks it"],
    cure: ["On HOST, as the wrapper's account: `claude auth status`"],
    exit: 14,
  });
}

const METHODS: Readonly<Record<Means, string>> = {
  file: "claude.ai",
  none: "claude.ai",
  "oauth-variable": "oauth_token",
  "key-variable": "api_key",
  "key-helper": "api_key_helper",
};

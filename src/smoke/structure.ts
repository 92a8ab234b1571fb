import type { VerdictClass } from "./classes.ts";
import type { Hint } from "./hints.ts";

/** Whether `value` is a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Whether a result of Claude Code calls itself an error. `subtype: "success"` beside `is_error: true` is
 * what the client prints for every authentication failure.
 */
export function hasErrorMark(json: unknown): boolean {
  return results(json).some(
    (result) =>
      result["is_error"] === true ||
      result["is_api_error_message"] === true ||
      result["model"] === "<synthetic>" ||
      (typeof result["subtype"] === "string" && result["subtype"].startsWith("error_")),
  );
}

/** Whether `json` is an error as Claude's API words it, passed on by the wrapper. */
export function isFromApi(json: unknown): boolean {
  if (!isRecord(json) || !isRecord(json["error"])) return false;
  const type = json["error"]["type"];
  return json["type"] === "error" || (typeof type === "string" && API_ONLY.has(type));
}

/** What the structured fields say: the error's type, else the reason it ended, else the API's status. */
export function findErrorType(json: unknown): Cause | undefined {
  for (const result of results(json)) {
    const error = result["error"];
    const named = [
      isRecord(error) ? error["type"] : error,
      isRecord(error) ? error["code"] : undefined,
      result["terminal_reason"],
    ].find((name) => typeof name === "string" && isKnown(name, json));
    if (typeof named === "string") return CAUSES[named];
    const status = result["api_error_status"];
    if (typeof status === "number") return causeOfStatus(status);
  }
  return undefined;
}

/** Every string in `json`, keys excepted, down to eight levels: deeper is nothing that speaks to us. */
export function stringsOf(json: unknown, depth = 8): string[] {
  if (typeof json === "string") return [json];
  if (typeof json !== "object" || json === null || depth === 0) return [];
  return Object.values(json).flatMap((value) => stringsOf(value, depth - 1));
}

interface Cause {
  readonly class: VerdictClass;
  readonly hint?: Hint;
}

/** Error types of the API, categories of the client's results, and its reasons to end. */
const CAUSES: Readonly<Record<string, Cause>> = {
  authentication_error: { class: "token-invalid" },
  authentication_failed: { class: "token-invalid" },
  permission_error: { class: "org-disabled", hint: "forbidden" },
  forbidden: { class: "org-disabled", hint: "forbidden" },
  oauth_org_not_allowed: { class: "org-disabled", hint: "subscription-disabled" },
  billing_error: { class: "billing" },
  blocking_limit: { class: "usage-limit" },
  rate_limit_error: { class: "rate-limited" },
  rate_limit: { class: "rate-limited" },
  overloaded_error: { class: "overloaded" },
  overloaded: { class: "overloaded" },
  timeout_error: { class: "overloaded" },
  server_error: { class: "overloaded" },
  api_error: { class: "overloaded" },
  invalid_request_error: { class: "wrapper-error", hint: "request-rejected" },
  invalid_request: { class: "wrapper-error", hint: "request-rejected" },
  not_found_error: { class: "wrapper-error", hint: "model" },
  model_not_found: { class: "wrapper-error", hint: "model" },
};

const API_ONLY = new Set([
  "authentication_error",
  "permission_error",
  "billing_error",
  "rate_limit_error",
  "overloaded_error",
  "forbidden",
]);

/** Wrappers in OpenAI's dress use these names for failures of their own. */
const BORROWED = new Set(["api_error", "server_error", "invalid_request_error", "not_found_error"]);

function isKnown(name: string, json: unknown): boolean {
  return (
    Object.hasOwn(CAUSES, name) && (!BORROWED.has(name) || isFromApi(json) || hasErrorMark(json))
  );
}

function causeOfStatus(status: number): Cause {
  if (status === 401) return { class: "token-invalid" };
  if (status === 403) return { class: "org-disabled", hint: "forbidden" };
  if (status === 429) return { class: "rate-limited" };
  return { class: status >= 500 ? "overloaded" : "wrapper-error" };
}

/** A result stands alone, or in the list of messages that led to it. */
function results(json: unknown): Readonly<Record<string, unknown>>[] {
  return (Array.isArray(json) ? json : [json]).filter(isRecord);
}

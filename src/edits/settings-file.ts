/** Claude Code's settings.json: what in it outranks a login, and edits that touch nothing else. */
import {
  JSON_FLAWS,
  isObject,
  membersOf,
  parseJsonText,
  withoutMembers,
} from "../credentials/json-text.ts";
import type { JsonFlaw, Member } from "../credentials/json-text.ts";
import { layoutOf } from "../hosts/json-layout.ts";
import { AUTH_VARIABLES, classifyValue } from "../remote/shadow-fact.ts";
import type { FoundVariable } from "../remote/shadow-fact.ts";
import { lineAt } from "./line-at.ts";

/** A settings file as far as it concerns logins, or why it must be left alone. */
export type SettingsReading =
  | {
      readonly kind: "settings";
      readonly text: string;
      /** What `env` sets of the variables that matter; lines are counted from 1. */
      readonly env: readonly FoundVariable[];
      readonly apiKeyHelper?: { readonly line: number; readonly command: HelperClass };
    }
  | { readonly kind: JsonFlaw | "not-object" };

/**
 * What a helper's command is: a script that sync-creds put there; something that prints an OAuth token, which Claude Code
 * then sends as an API key; or the user's own.
 */
export type HelperClass = "ours" | "oauth-token" | "other";

/** Why a settings file cannot be read, in the user's terms. */
export const SETTINGS_FLAWS: Readonly<Record<JsonFlaw | "not-object", string>> = {
  ...JSON_FLAWS,
  "not-object": "it is no JSON object",
};

/** Reads a settings file. Total. Of repeated keys the last one counts, as it does for Claude Code. */
export function readSettings(bytes: Uint8Array): SettingsReading {
  const json = parseJsonText(bytes);
  if (json.kind !== "json") return { kind: json.kind };
  if (!isObject(json.value)) return { kind: "not-object" };
  const { text } = json;
  const members = membersOf(text);
  const helper = members.findLast(({ key }) => key === HELPER);
  const command = helper === undefined ? undefined : valueOf(text, helper);
  return {
    kind: "settings",
    text,
    env: variablesIn(text, members),
    ...(helper === undefined || command === ""
      ? {}
      : { apiKeyHelper: { line: lineAt(text, helper.start), command: classifyCommand(command) } }),
  };
}

/**
 * The text without some variables of `env`, and without `apiKeyHelper`, however often they stand there. All other bytes stay
 * as they were; an `env` that held nothing else stays as `{}`. The text must be one that `readSettings` could read.
 */
export function removeSettings(
  text: string,
  what: { readonly env?: readonly string[]; readonly apiKeyHelper?: boolean },
): string {
  const { env = [], apiKeyHelper = false } = what;
  let left = text;
  for (const { key, value } of membersOf(text).toReversed()) {
    if (key !== "env" || text[value.start] !== "{") continue;
    left = withoutMembers(left, value.start, (member) => env.includes(member.key));
  }
  return apiKeyHelper ? withoutMembers(left, 0, ({ key }) => key === HELPER) : left;
}

/**
 * The text with this command as `apiKeyHelper`: in place of the one that counts, or as the last member, set as the file
 * sets the others. Without a file, the text of a new one. The text must be one that `readSettings` could read.
 */
export function withApiKeyHelper(text: string | undefined, command: string): string {
  const value = JSON.stringify(command);
  if (text === undefined) return `{\n  "${HELPER}": ${value}\n}\n`;
  const members = membersOf(text);
  const present = members.findLast(({ key }) => key === HELPER)?.value;
  if (present !== undefined) return text.slice(0, present.start) + value + text.slice(present.end);
  const { lineEnd, unit, isSpaced } = layoutOf(text);
  const last = members.at(-1);
  if (last === undefined) {
    const [open, close] = [text.indexOf("{"), text.lastIndexOf("}")];
    const line = `${unit}"${HELPER}": ${value}`;
    return `${text.slice(0, open + 1)}${lineEnd}${line}${lineEnd}${text.slice(close)}`;
  }
  const member = `"${HELPER}":${isSpaced ? " " : ""}${value}`;
  const before = text.slice(0, last.start);
  const lead = before.slice(before.trimEnd().length);
  const { end } = last.value;
  return `${text.slice(0, end)},${lead}${member}${text.slice(end)}`;
}

const HELPER = "apiKeyHelper";

function variablesIn(text: string, members: readonly Member[]) {
  const env = members.findLast(({ key }) => key === "env");
  if (env === undefined || text[env.value.start] !== "{") return [];
  const inside = membersOf(text, env.value.start);
  return inside
    .filter((member, at) => inside.findLastIndex(({ key }) => key === member.key) === at)
    .filter(({ key }) => AUTH_VARIABLES.some((name) => name === key))
    .map((member) => {
      const value = valueOf(text, member);
      return {
        name: member.key,
        line: lineAt(text, member.start),
        value: typeof value === "string" ? classifyValue(value) : ("set" as const),
      };
    });
}

function classifyCommand(command: unknown): HelperClass {
  if (typeof command !== "string") return "other";
  if (command.includes(".sync-creds/")) return "ours";
  const printsToken = /sk-ant-oat|CLAUDE_CODE_OAUTH_TOKEN|claudeAiOauth|\.credentials\.json/;
  return printsToken.test(command) ? "oauth-token" : "other";
}

function valueOf(text: string, { value }: Member): unknown {
  return JSON.parse(text.slice(value.start, value.end));
}

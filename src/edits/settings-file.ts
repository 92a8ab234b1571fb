import { isObject, parseJsonText } from "../credentials/json-text.ts";
import type { JsonFlaw } from "../credentials/json-text.ts";
import { AUTH_VARIABLES, classifyValue } from "../remote/shadow-fact.ts";
import type { ValueClass } from "../remote/shadow-fact.ts";

export type Settings =
  | {
      readonly kind: "settings";
      readonly text: string;
      readonly env: readonly { name: string; line: number; value: ValueClass }[];
      readonly apiKeyHelper?: {
        readonly line: number;
        readonly value: "ours" | "oauth-token" | "other";
      };
    }
  | { readonly kind: JsonFlaw | "not-object" };

export function readSettings(bytes: Uint8Array): Settings {
  const json = parseJsonText(bytes);
  if (json.kind !== "json") return { kind: json.kind };
  if (!isObject(json.value)) return { kind: "not-object" };
  const { text, value } = json;
  const lineOf = (name: string) => text.slice(0, text.indexOf(`"${name}"`)).split("\n").length;
  const env = isObject(value["env"]) ? value["env"] : {};
  const helper = value["apiKeyHelper"];
  return {
    kind: "settings",
    text,
    env: AUTH_VARIABLES.filter((name) => name in env).map((name) => ({
      name,
      line: lineOf(name),
      value: classifyValue(String(env[name])),
    })),
    ...(typeof helper === "string" && {
      apiKeyHelper: {
        line: lineOf("apiKeyHelper"),
        value: helper.includes("sync-creds-key.sh")
          ? ("ours" as const)
          : helper.includes("sk-ant-oat")
            ? ("oauth-token" as const)
            : ("other" as const),
      },
    }),
  };
}
export function removeSettings(
  text: string,
  what: { env?: readonly string[]; apiKeyHelper?: boolean },
): string {
  const value = JSON.parse(text);
  for (const name of what.env ?? []) delete value.env?.[name];
  if (what.apiKeyHelper) delete value.apiKeyHelper;
  return JSON.stringify(value);
}
export function withApiKeyHelper(text: string, command: string): string {
  return JSON.stringify({ ...JSON.parse(text.trim() === "" ? "{}" : text), apiKeyHelper: command });
}

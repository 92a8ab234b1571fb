import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tokens } from "./stage.ts";
import type { Stage } from "./stage.ts";

/** Secrets that are plainly fake, as the stand-in for Claude Code judges them. */
export const secrets = {
  setupToken: "sk-ant-oat01-CANARYsetup-token-0041",
  badSetupToken: "sk-ant-oat01-CANARYBAD-setup-token-0042",
  key: "sk-ant-api03-GOOD-CANARYkey-0043",
  badKey: "sk-ant-api03-CANARYBAD-key-0044",
} as const;

/** Every delivery that brings something, as hosts.json says it. */
export const DELIVERIES = {
  "access-token": { delivery: "access-token" },
  "full-login": { delivery: "full-login" },
  "setup-token": { delivery: "setup-token", token: { file: "setup-token" } },
  "setup-token as variable": {
    delivery: "setup-token",
    place: "env",
    token: { file: "setup-token" },
  },
  "api-key": { delivery: "api-key", apiKey: { file: "api-key" } },
  "api-key by helper": { delivery: "api-key", place: "helper", apiKey: { file: "api-key" } },
} as const;

export type DeliveryName = keyof typeof DELIVERIES;
export const NAMES = Object.keys(DELIVERIES) as DeliveryName[];

/** The laptop's secrets: those that work, or those that do not. */
export function haveSecrets(stage: Stage, work: boolean): void {
  const save = (name: string, text: string) =>
    writeFileSync(join(stage.laptop, name), `${text}\n`, { mode: 0o600 });
  save("setup-token", work ? secrets.setupToken : secrets.badSetupToken);
  save("api-key", work ? secrets.key : secrets.badKey);
  stage.logIn(work ? tokens.good : tokens.bad);
}

/** What a delivery is about on a host. */
export interface Landed {
  readonly login: "none" | "access" | "whole" | "setup";
  /** Other keys of the credentials file. */
  readonly kept: boolean;
  readonly env: string | undefined;
  readonly key: boolean;
  readonly script: boolean;
  readonly settings: string | undefined;
  /** The drop-in or override that makes a supervisor read the env file. */
  readonly wired: boolean;
}

/** What lies on the host now. */
export function landed({ sshd, hostFile }: Stage, wiring: string | undefined): Landed {
  const folder = join(sshd.home, ".claude");
  const text = (path: string) =>
    existsSync(join(folder, path)) ? readFileSync(join(folder, path), "utf8") : undefined;
  const file = existsSync(hostFile)
    ? (JSON.parse(readFileSync(hostFile, "utf8")) as {
        claudeAiOauth?: { accessToken: string; refreshToken?: string };
        mcpOAuth?: object;
      })
    : {};
  const login = file.claudeAiOauth;
  return {
    login:
      login === undefined
        ? "none"
        : login.refreshToken !== undefined
          ? "whole"
          : login.accessToken === secrets.setupToken
            ? "setup"
            : "access",
    kept: file.mcpOAuth !== undefined,
    env: text(".sync-creds/wrapper.env"),
    key: text(".sync-creds/api-key") !== undefined,
    script: text(".sync-creds/api-key.sh") !== undefined,
    settings: text("settings.json"),
    wired: wiring !== undefined && /wrapper\.env/.test(readIfThere(join(sshd.home, wiring)) ?? ""),
  };
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/** A walk over every ordered pair of names, once each: `length * (length - 1) + 1` stops. */
export function walkAllPairs<T>(names: readonly T[]): T[] {
  const left = new Map(names.map((name) => [name, names.filter((other) => other !== name)]));
  const stack = names.slice(0, 1);
  const walk: T[] = [];
  while (stack.length > 0) {
    const next = left.get(stack.at(-1)!)?.pop();
    if (next === undefined) walk.unshift(stack.pop()!);
    else stack.push(next);
  }
  return walk;
}

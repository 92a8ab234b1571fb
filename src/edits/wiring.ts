import { namesHolding } from "./env-file.ts";
import { Secret } from "../secret.ts";

/** What a supervisor is told besides its own configuration: variables to leave out, and an env file to read. */
export interface Wiring {
  /** Names of variables that the wrapper shall not get. */
  readonly without: readonly string[];
  /** Absolute path of an env file on the host. */
  readonly envFile: string | undefined;
}

const MARK =
  "# Written by sync-creds, which keeps it and removes it when nothing needs it any more.";

/** Whether a file of that name is ours to change. */
export function isOurs(bytes: Buffer | undefined): boolean {
  return bytes === undefined || bytes.toString("utf8").startsWith(MARK);
}

/**
 * A drop-in for a systemd unit. `UnsetEnvironment=` is applied last of all, after every `Environment=` and
 * `EnvironmentFile=` (systemd.exec(5)); a later env file wins over an earlier one.
 */
export function renderDropIn({ without, envFile }: Wiring): Secret | undefined {
  if (without.length === 0 && envFile === undefined) return undefined;
  const lines = [
    MARK,
    "[Service]",
    ...(without.length === 0 ? [] : [`UnsetEnvironment=${without.join(" ")}`]),
    // A percent sign would begin a specifier.
    ...(envFile === undefined ? [] : [`EnvironmentFile=${envFile.replaceAll("%", "%%")}`]),
  ];
  return new Secret(`${lines.join("\n")}\n`);
}

/** The variables that a drop-in of ours leaves out. */
export function namesLeftOut(dropIn: Buffer | undefined): string[] {
  if (dropIn === undefined || !isOurs(dropIn)) return [];
  const found = /^UnsetEnvironment=(.*)$/m.exec(dropIn.toString("utf8"));
  return found?.[1]?.split(" ").filter((name) => name !== "") ?? [];
}

/** The variables that an env file of ours sets. */
export function namesSetBy(envFile: Buffer | undefined): string[] {
  const text = envFile?.toString("utf8") ?? "";
  return [...text.matchAll(/^([A-Z_]+)=/gm)].map(([, name = ""]) => name);
}

/** The variables of ours that the user's own env file has from an earlier push: their values are what was pushed then. */
export function namesPushedTo(envFile: Buffer | undefined, pushed: readonly string[]): string[] {
  const names = ["ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN"];
  return namesHolding(envFile?.toString("utf8") ?? "", names, pushed);
}

/** A file that docker compose merges over the user's own; JSON strings are YAML too. */
export function renderOverride(
  service: string,
  { envFile }: Pick<Wiring, "envFile">,
): Secret | undefined {
  if (envFile === undefined) return undefined;
  return new Secret(
    [
      MARK,
      "services:",
      `  ${JSON.stringify(service)}:`,
      "    env_file:",
      `      - ${JSON.stringify(envFile)}`,
      "",
    ].join("\n"),
  );
}

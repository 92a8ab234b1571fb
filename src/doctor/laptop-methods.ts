import { note, ok, warn } from "../diagnosis.ts";
import type { Check } from "../diagnosis.ts";
import { SETTINGS_FLAWS, readSettings } from "../edits/settings-file.ts";
import type { Ports } from "../ports.ts";
import { environmentForLogin } from "../renew/surroundings.ts";

/** What shells of a user read when they start, below the home. */
export const START_FILES = [
  ".zshenv",
  ".zprofile",
  ".zshrc",
  ".bash_profile",
  ".profile",
  ".bashrc",
];

/** What Claude Code on this laptop has besides its login. */
export interface LaptopMethods {
  readonly env: Ports["env"];
  /** Settings files and start files of shells, by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * The cause `two methods in conflict`, tested here. A push takes the login all the same; but a Claude Code that uses
 * something else does not renew it.
 */
export function checkLaptopMethods({ env, files }: LaptopMethods): Check[] {
  const { removed } = environmentForLogin(env);
  const ofShell = removed.map((name) => {
    const lines = [...files].flatMap(([path, bytes]) => linesSetting(name, path, bytes));
    return { name, places: ["this shell's environment", ...lines], cure: cureInShell(name, lines) };
  });
  const settings = [...files].filter(([path]) => path.endsWith(".json"));
  const ofSettings = settings.flatMap(([path, bytes]) => inSettings(path, bytes));
  const found = [...ofShell, ...ofSettings.filter(({ name }) => name !== "")];
  const flaws = ofSettings
    .filter(({ name }) => name === "")
    .map(({ cure }) => note("methods", cure));
  if (found.length === 0) return [ok("methods", "nothing here outranks the login"), ...flaws];
  return [
    ...found.map(({ name, places, cure }) =>
      warn("methods", `${name} in ${places.join(" and ")} outranks the login`, {
        evidence: [
          "Claude Code here uses it, and does not renew the login; a push takes the login all the same",
        ],
        cure: [cure],
        exit: 14,
      }),
    ),
    ...flaws,
  ];
}

interface Method {
  /** Empty for a file that could not be understood; `cure` then says so. */
  readonly name: string;
  readonly places: readonly string[];
  readonly cure: string;
}

function inSettings(path: string, bytes: Uint8Array): Method[] {
  const settings = readSettings(bytes);
  if (settings.kind !== "settings") {
    const cure = `${path}: Claude Code cannot read it: ${SETTINGS_FLAWS[settings.kind]}`;
    return [{ name: "", places: [], cure }];
  }
  const { env, apiKeyHelper } = settings;
  const lines = [
    ...env.filter(({ name, value }) => value !== "empty" && name !== "ANTHROPIC_BASE_URL"),
    ...(apiKeyHelper === undefined ? [] : [{ name: "apiKeyHelper", line: apiKeyHelper.line }]),
  ];
  return lines.map(({ name, line }) => ({
    name,
    places: [`${path}, line ${line}`],
    cure: `Take ${name} out of line ${line} of \`${path}\``,
  }));
}

/** `~/.zshrc, line 12`: the lines that give the variable a value. */
function linesSetting(name: string, path: string, bytes: Uint8Array): string[] {
  if (path.endsWith(".json")) return [];
  const setting = new RegExp(`^\\s*(?:export\\s+|declare\\s+-x\\s+)?${name}=\\S`);
  return new TextDecoder()
    .decode(bytes)
    .split("\n")
    .flatMap((line, at) => (setting.test(line) ? [`${path}, line ${at + 1}`] : []));
}

function cureInShell(name: string, [line]: readonly string[]): string {
  return line === undefined
    ? `Start your shell without it: \`unset ${name}\``
    : `Take ${name} out of ${line}, then \`unset ${name}\``;
}

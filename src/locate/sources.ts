import { createHash } from "node:crypto";
import { pathRules } from "../hosts/local-path.ts";
import type { Ports } from "../ports.ts";

/** A place where Claude Code may keep the login of this user. */
export interface Source {
  /** Absolute path of the file. */
  readonly path: string;
  /** How messages name it: `~/.claude/.credentials.json`. */
  readonly label: string;
  /** Absolute path of the configuration directory. */
  readonly directory: string;
  /** The variable that points there, if one does. */
  readonly variable?: StoreVariable;
  /** Only old versions wrote there: what it holds may be long forgotten. */
  readonly isLegacy: boolean;
}

type StoreVariable = "CLAUDE_SECURESTORAGE_CONFIG_DIR" | "CLAUDE_CONFIG_DIR";

type Surroundings = Pick<Ports, "platform" | "env" | "home" | "cwd">;

/**
 * Where to look, best first. A directory that the user has named is the only candidate: another login
 * must not be taken for the one they meant.
 */
export function listSources(surroundings: Surroundings): Source[] {
  const { home, env, cwd } = surroundings;
  const rules = pathRules(surroundings);
  const named = findNamedStore(env);
  if (named !== undefined) {
    const directory = rules.resolve(cwd, named.directory);
    const path = rules.join(directory, ".credentials.json");
    const label = `${abbreviate(path, surroundings)} (${named.variable})`;
    return [{ path, label, directory, variable: named.variable, isLegacy: false }];
  }
  const xdg = env["XDG_CONFIG_HOME"];
  const legacy = [
    ...(xdg ? [rules.join(rules.resolve(cwd, xdg), "claude", ".credentials.json")] : []),
    rules.join(home, ".config", "claude", ".credentials.json"),
    rules.join(home, ".config", "claude-code", "auth.json"),
  ];
  return [rules.join(home, ".claude", ".credentials.json"), ...new Set(legacy)].map(
    (path, index) => ({
      path,
      label: abbreviate(path, surroundings),
      directory: rules.dirname(path),
      isLegacy: index > 0,
    }),
  );
}

/**
 * The name of the macOS Keychain item with the login. A directory of one's own adds a hash of its name
 * exactly as the variable spells it (read in third-party source code; Claude Code 2.1.x).
 */
export function keychainService(env: Ports["env"]): string {
  const named = findNamedStore(env);
  if (named === undefined) return "Claude Code-credentials";
  const hash = createHash("sha256").update(named.directory).digest("hex");
  return `Claude Code-credentials-${hash.slice(0, 8)}`;
}

function findNamedStore(
  env: Ports["env"],
): { directory: string; variable: StoreVariable } | undefined {
  const store = env["CLAUDE_SECURESTORAGE_CONFIG_DIR"];
  // Set but empty, it means the default store, whatever the other variable says (seen with 2.1.220).
  const variable = store === undefined ? "CLAUDE_CONFIG_DIR" : "CLAUDE_SECURESTORAGE_CONFIG_DIR";
  const directory = env[variable]?.normalize("NFC");
  return directory ? { directory, variable } : undefined;
}

function abbreviate(path: string, surroundings: Surroundings): string {
  const rules = pathRules(surroundings);
  const { home } = surroundings;
  return path.startsWith(home + rules.sep) ? `~${path.slice(home.length)}` : path;
}

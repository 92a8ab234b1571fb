import { posix, win32 } from "node:path";

/** A place where Claude Code may keep its login on this laptop. */
export interface Source {
  readonly path: string;
  /** The variable that names the place, when one does. */
  readonly variable?: string;
  /** Claude's configuration directory that the file belongs to; its locks lie there. */
  readonly configDir: string;
}

/** What the places depend on. */
export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

/**
 * The places to look at, in order. A variable that is set decides alone: another login found elsewhere would not be the
 * one that Claude Code uses. `CLAUDE_SECURESTORAGE_CONFIG_DIR` wins over `CLAUDE_CONFIG_DIR` and, when defined but
 * empty, means the default place (seen in third-party tools that follow Claude Code 2.1.220). The XDG places held the
 * login of some early versions.
 */
export function findSources({ platform, env, home }: Surroundings): Source[] {
  const { join } = platform === "win32" ? win32 : posix; // oxlint-disable-line typescript/unbound-method -- it uses no `this`
  const at = (configDir: string, variable?: string): Source => ({
    path: join(configDir, ".credentials.json"),
    configDir,
    ...(variable === undefined ? {} : { variable }),
  });
  const secure = env["CLAUDE_SECURESTORAGE_CONFIG_DIR"];
  if (secure !== undefined && secure !== "") return [at(secure, "CLAUDE_SECURESTORAGE_CONFIG_DIR")];
  const config = env["CLAUDE_CONFIG_DIR"];
  if (secure === undefined && config) return [at(config, "CLAUDE_CONFIG_DIR")];

  const usual = at(join(home, ".claude"));
  if (platform === "win32") return [usual];
  const xdg = env["XDG_CONFIG_HOME"] || join(home, ".config");
  return [usual, at(join(xdg, "claude"))];
}

import { SyncCredsError } from "../errors.ts";
import { errorCodeOf, findConfigDirectory, pathRules } from "../hosts/local-path.ts";
import type { Ports, Ran } from "../ports.ts";
import { readAnswer } from "./answer.ts";
import type { Answer } from "./answer.ts";
import {
  environmentForLogin,
  findOutranking,
  managedSettingsPath,
  userSettingsPath,
} from "./surroundings.ts";

/** Longer than Claude Code goes on trying after a rejection, which is some seven minutes. */
const PATIENCE_MS = 10 * 60_000;

/**
 * Asks the installed Claude Code for one word, so that it renews its login if that is due, which is in the last five
 * minutes of an access token and when the token is rejected. It is kept from all that outranks the login, and never
 * broken off: a renewal that is cut in the middle loses the login. Resolves with what it said, be it a failure.
 * `tell` hears at once what is taken out of its way. Error: `CLAUDE_NOT_FOUND`.
 */
export async function askClaude(ports: Ports, tell: (note: string) => void): Promise<Answer> {
  const { env, removed } = environmentForLogin(ports.env);
  if (removed.length > 0) {
    tell(
      `Claude Code is run without ${removed.join(", ")}, which would be used in place of the login`,
    );
  }
  const path = userSettingsPath(ports);
  const inSettings = await readOutranking(path, ports);
  if (inSettings.length > 0) {
    tell(
      `Claude Code is run without ${path}: ${inSettings.join(", ")} there would be used in place of the login`,
    );
  }
  const managed = await readOutranking(managedSettingsPath(ports), ports);
  if (managed.length > 0) {
    tell(
      `${managed.join(", ")} in ${managedSettingsPath(ports)} may be used in place of the login: nothing turns that off`,
    );
  }
  const argv = ["-p", "Answer with the one word ok.", "--output-format", "json"];
  // Of the three sources only the folder it runs in, which is ours and has none. Without any, 2.0.5 takes them all.
  const sources = inSettings.length > 0 ? ["--setting-sources", "local"] : [];
  const ran = await run([...argv, ...sources], env, ports);
  return readAnswer(ran);
}

async function readOutranking(path: string, { files }: Ports): Promise<string[]> {
  // What cannot be read does not stop Claude Code either.
  const file = await files.read(path).catch(() => undefined);
  return file === undefined ? [] : findOutranking(file.bytes);
}

async function run(argv: string[], env: Ports["env"], ports: Ports): Promise<Ran> {
  const rules = pathRules(ports);
  // A folder without settings or instructions, always the same one: Claude Code remembers every folder.
  const cwd = rules.join(findConfigDirectory(ports), "refresh");
  await ports.files.makeFolder(cwd);
  const options = { timeoutMs: PATIENCE_MS, cwd, env, gently: true };
  for (const program of listPrograms(ports)) {
    try {
      // npm's `claude` for Windows is a script, which only its shell can start.
      return await (ports.platform === "win32"
        ? ports.run("cmd", ["/d", "/c", program, ...argv], options)
        : ports.run(program, argv, options));
    } catch (error) {
      if (errorCodeOf(error) !== "ENOENT") throw cannotStart(program, error);
    }
  }
  throw new SyncCredsError("CLAUDE_NOT_FOUND", "there is no `claude` on this laptop's PATH", {
    why: "only Claude Code itself may renew its login",
    next: [
      "Run this where `claude` can be run, or add its folder to PATH",
      "Or log in where Claude Code is, and push from there",
    ],
  });
}

/** On PATH, then where its installers put it: a shell may know it by an alias only. */
function listPrograms({ platform, home }: Ports): string[] {
  return platform === "win32"
    ? ["claude"]
    : ["claude", `${home}/.local/bin/claude`, `${home}/.claude/local/claude`];
}

function cannotStart(program: string, error: unknown): SyncCredsError {
  return new SyncCredsError("CLAUDE_NOT_FOUND", `${program} cannot be started`, {
    why: `the system said ${errorCodeOf(error)}`,
    next: ["Try it yourself: `claude --version`"],
    cause: error,
  });
}

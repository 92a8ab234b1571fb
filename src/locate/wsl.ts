import { renderShellWord } from "../hosts/local-path.ts";
import type { Ports } from "../ports.ts";
import { describeHolding, describeOther, worthOf } from "./located.ts";
import type { Located } from "./located.ts";
import { readCredentialsFile } from "./read-file.ts";

const WINDOWS_HOMES = "/mnt/c/Users";
/** Folders there that are nobody's home. */
const NO_HOMES = new Set(["public", "default", "all users", "default user", "desktop.ini"]);

/** A login that Windows keeps, seen from the Linux inside it. */
export interface WindowsLogin {
  readonly located: Located;
  /** What to type to push this one. */
  readonly command: string;
}

/** The logins of this computer's Windows users, as far as they can be read. */
export async function findWindowsLogins(ports: Ports): Promise<WindowsLogin[]> {
  const names = await ports.files.list(WINDOWS_HOMES).catch(() => []);
  const homes = names.filter((name) => !NO_HOMES.has(name.toLowerCase())).sort();
  const logins = await Promise.all(homes.map((name) => readLogin(name, ports)));
  return logins.filter((login) => login !== undefined);
}

/** What to say of the Windows logins when the Linux one is used: nothing is guessed, so both are shown. */
export function noteWindowsLogins(
  logins: readonly WindowsLogin[],
  used: Located,
  now: number,
): string[] {
  return logins.map(({ located, command }) => {
    const other = describeOther(located, used, now);
    const way = other === "the same login" ? "" : `; to push that one: \`${command}\``;
    return `the login of WSL was used: ${used.label} (${describeHolding(used.credentials, now)}); Windows holds ${other} in ${located.label}${way}`;
  });
}

async function readLogin(name: string, ports: Ports): Promise<WindowsLogin | undefined> {
  const directory = `${WINDOWS_HOMES}/${name}/.claude`;
  const path = `${directory}/.credentials.json`;
  try {
    const source = { path, label: path, directory, isLegacy: false };
    const located = await readCredentialsFile(source, ports);
    if (located === undefined || worthOf(located.credentials, ports.now()) < 0) return undefined;
    // Where both variables are set, Claude Code and we go by this one.
    const variable =
      ports.env["CLAUDE_SECURESTORAGE_CONFIG_DIR"] === undefined
        ? "CLAUDE_CONFIG_DIR"
        : "CLAUDE_SECURESTORAGE_CONFIG_DIR";
    return { located, command: `${variable}=${renderShellWord(directory)} sync-creds push` };
  } catch {
    return undefined; // another user's home
  }
}

import { parseCredentials } from "../credentials/parse.ts";
import type { Credentials } from "../credentials/parse.ts";
import { renderShellWord } from "../hosts/local-path.ts";
import type { Ports } from "../ports.ts";

/** A login on the Windows side of this computer. */
export interface WindowsLogin {
  /** The path, as Linux sees it. */
  readonly label: string;
  readonly credentials: Credentials;
  /** What to type to push this one. */
  readonly command: string;
}

const USERS = "/mnt/c/Users";
const NO_PERSON = new Set(["public", "default", "all users", "default user", "desktop.ini"]);

/**
 * Inside WSL: the logins of Claude Code for Windows, which has a home of its own. Empty elsewhere. What cannot be read is
 * not ours. Never rejects.
 */
export async function findWindowsLogins(ports: Ports): Promise<WindowsLogin[]> {
  if (!(await isWsl(ports))) return [];
  const names = await ports.files.list(USERS).catch(() => []);
  const found = names
    .filter((name) => !NO_PERSON.has(name.toLowerCase()))
    .sort()
    .map(async (name) => {
      const directory = `${USERS}/${name}/.claude`;
      const label = `${directory}/.credentials.json`;
      try {
        const credentials = parseCredentials((await ports.files.read(label)).bytes, label);
        return credentials.kind === "login"
          ? [{ label, credentials, command: commandFor(directory, ports) }]
          : [];
      } catch {
        return [];
      }
    });
  return (await Promise.all(found)).flat();
}

/** Whether a path inside WSL lies on a Windows disk, which shows every file as open to all. */
export async function isOnWindowsDisk(path: string, ports: Ports): Promise<boolean> {
  return /^\/mnt\/[a-z]\//.test(path) && (await isWsl(ports));
}

/** Once the first variable is set, be it to nothing, Claude Code and we pay no attention to the second. */
function commandFor(directory: string, { env }: Ports): string {
  const variable =
    env["CLAUDE_SECURESTORAGE_CONFIG_DIR"] === undefined
      ? "CLAUDE_CONFIG_DIR"
      : "CLAUDE_SECURESTORAGE_CONFIG_DIR";
  return `${variable}=${renderShellWord(directory)} sync-creds push`;
}

async function isWsl({ platform, env, files }: Ports): Promise<boolean> {
  if (platform !== "linux") return false;
  if (env["WSL_DISTRO_NAME"]) return true;
  try {
    const { bytes } = await files.read("/proc/sys/kernel/osrelease");
    return /microsoft/i.test(bytes.toString("latin1"));
  } catch {
    return false;
  }
}

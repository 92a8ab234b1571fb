import { parseCredentials } from "../credentials/parse.ts";
import type { Credentials } from "../credentials/parse.ts";
import type { Ports } from "../ports.ts";

/** A login on the Windows side of this computer. */
export interface WindowsLogin {
  /** The configuration directory, as Linux sees it. */
  readonly directory: string;
  readonly label: string;
  readonly credentials: Credentials;
}

const USERS = "/mnt/c/Users";
const NO_PERSON = new Set(["Public", "Default", "All Users", "Default User", "desktop.ini"]);

/**
 * Inside WSL: the logins of Claude Code for Windows, which has a home of its own. Empty elsewhere. What cannot be read is
 * not ours. Never rejects.
 */
export async function findWindowsLogins(ports: Ports): Promise<WindowsLogin[]> {
  if (ports.platform !== "linux" || !(await isWsl(ports))) return [];
  const names = await ports.files.list(USERS).catch(() => []);
  const found = names
    .filter((name) => !NO_PERSON.has(name))
    .map(async (name) => {
      const directory = `${USERS}/${name}/.claude`;
      const label = `${directory}/.credentials.json`;
      try {
        const credentials = parseCredentials((await ports.files.read(label)).bytes, label);
        return credentials.kind === "login" ? [{ directory, label, credentials }] : [];
      } catch {
        return [];
      }
    });
  return (await Promise.all(found)).flat();
}

/** Whether a path lies on a Windows disk, which shows every file as open to all. */
export function isOnWindowsDisk(path: string): boolean {
  return /^\/mnt\/[a-z]\//.test(path);
}

async function isWsl({ env, files }: Ports): Promise<boolean> {
  if (env["WSL_DISTRO_NAME"]) return true;
  try {
    const { bytes } = await files.read("/proc/sys/kernel/osrelease");
    return /microsoft/i.test(bytes.toString("latin1"));
  } catch {
    return false;
  }
}

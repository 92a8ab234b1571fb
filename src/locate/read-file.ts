import { parseCredentials } from "../credentials/parse.ts";
import { askForOpenAccess } from "../hosts/ask-acl.ts";
import { renderMode, renderShellWord } from "../hosts/local-path.ts";
import { renderAclCure } from "../hosts/windows-acl.ts";
import type { FileSnapshot, Ports } from "../ports.ts";
import { unreadable } from "./failures.ts";
import type { Located } from "./located.ts";
import type { Source } from "./sources.ts";
import { readStable } from "./stable-read.ts";
import { isOnWindowsDisk } from "./wsl.ts";

/**
 * Reads a credentials file, never in the middle of a write, and notes who else can read it. `undefined` when there is none.
 * Error: `CREDENTIALS_UNREADABLE`.
 */
export async function readCredentialsFile(
  source: Source,
  ports: Ports,
): Promise<Located | undefined> {
  const { path, label, isLegacy } = source;
  try {
    const found = await readStable(path, ports, (bytes) =>
      ["empty", "truncated", "not-json"].includes(parseCredentials(bytes).kind),
    );
    if (found === undefined) return undefined;
    const notes = await noteReaders(source, found, ports);
    if (isLegacy) notes.push(`${label} is where only old versions of Claude Code kept the login`);
    return { label, credentials: parseCredentials(found.bytes, label), notes };
  } catch (error) {
    throw unreadable(source, error, ports);
  }
}

async function noteReaders(
  { path, label }: Source,
  { mode }: Pick<FileSnapshot, "mode">,
  ports: Ports,
): Promise<string[]> {
  if (ports.platform === "win32") {
    const groups = await askForOpenAccess(path, ports);
    if (groups.length === 0) return [];
    const who = groups.map(({ sid, group }) => `${group} (${sid})`).join(" and ");
    return [
      `${label} is open to other users of this laptop, namely ${who}: run \`${renderAclCure(path, ports.userName, groups)}\``,
    ];
  }
  if ((mode & 0o044) === 0 || (await isOnWindowsDisk(path, ports))) return [];
  return [
    `${label} can be read by other users of this laptop (mode ${renderMode(mode)}): run \`chmod 600 ${renderShellWord(path)}\``,
  ];
}

import { SyncCredsError } from "../errors.ts";
import type { FileSnapshot, Ports } from "../ports.ts";
import { EMPTY_FILE } from "./edit.ts";
import { readHostsText } from "./load.ts";
import { errorCodeOf, renderShellWord } from "./local-path.ts";
import { parseContent, parseHosts, type HostsFile, type Origin } from "./parse.ts";
import type { HostsContent } from "./schema.ts";

/** hosts.json as it was when it was read, to be written again with something added. */
export interface Draft {
  readonly origin: Origin;
  readonly text: string;
  /** What it says, before defaults are applied. */
  readonly content: HostsContent;
  /** As it lies on the disk; absent when there is no such file yet. */
  readonly snapshot?: FileSnapshot;
}

const BYTE_ORDER_MARK = Buffer.from("\uFEFF");

/**
 * Reads hosts.json for a change. Where there is none, the draft is of a new file: the one named, else ./hosts.json. A file
 * without any host is fine here. Errors: as `loadHosts`, and `CONFIG_UNWRITABLE` when it is not ours to change.
 */
export async function openDraft(ports: Ports, explicitPath?: string): Promise<Draft> {
  const { origin, found } = await readHostsText(ports, explicitPath);
  if (found === undefined) return { origin, text: EMPTY_FILE, content: { hosts: {} } };
  const { text, snapshot } = found;
  verifyWritable(snapshot, origin, ports);
  const content = parseContent(text, origin);
  // What is wrong with it already must not look like our doing.
  if (Object.keys(content.hosts).length > 0) parseHosts(text, origin);
  return { origin, text, content, snapshot };
}

/** The hosts of an edited draft. Error: `CONFIG_INVALID` when the file would not be accepted. */
export function parseDraft({ origin }: Draft, edited: string): HostsFile {
  return parseHosts(edited, origin);
}

/**
 * Puts the edited text in the place of the file, in one step; mode, owner and links stay. Errors: `FILE_CHANGED` when
 * somebody has written the file since it was read, `CONFIG_UNWRITABLE`.
 */
export async function saveDraft(draft: Draft, edited: string, ports: Ports): Promise<void> {
  const { origin, snapshot } = draft;
  parseDraft(draft, edited);
  await verifyUnchanged(draft, ports);
  const hasMark = snapshot?.bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
  const bytes = Buffer.from(edited);
  try {
    await ports.files.replace(
      origin.path,
      hasMark === true ? Buffer.concat([BYTE_ORDER_MARK, bytes]) : bytes,
    );
  } catch (error) {
    throw new SyncCredsError("CONFIG_UNWRITABLE", `${origin.shownAs} cannot be written`, {
      why: `the system said ${errorCodeOf(error)}; the file is as it was`,
      next: [`Look at its folder with \`ls -ld ${renderShellWord(origin.toAbsolute("."))}\``],
      cause: error,
    });
  }
}

/** A rename replaces read-only files and those of root just as well: they are respected here. */
function verifyWritable({ mode, uid }: FileSnapshot, { shownAs }: Origin, ports: Ports): void {
  if (ports.platform === "win32") return;
  const file = renderShellWord(shownAs);
  if (uid !== ports.uid) {
    throw new SyncCredsError("CONFIG_UNWRITABLE", `${shownAs} is not yours to change`, {
      why: `it belongs to user ${uid}`,
      next: ["Let its owner change it", "Or name a file of your own with `-c FILE`"],
    });
  }
  if ((mode & 0o200) === 0) {
    throw new SyncCredsError("CONFIG_UNWRITABLE", `${shownAs} is read-only`, {
      why: "somebody has taken the right to write it away",
      next: [`If it may be changed: \`chmod u+w ${file}\``],
    });
  }
}

async function verifyUnchanged({ origin, snapshot }: Draft, ports: Ports): Promise<void> {
  const now = await ports.files.read(origin.path).catch((error: unknown) => {
    if (errorCodeOf(error) === "ENOENT" || errorCodeOf(error) === "ENOTDIR") return undefined;
    throw error;
  });
  const isSame =
    now === undefined || snapshot === undefined
      ? now === snapshot
      : now.inode === snapshot.inode && now.bytes.equals(snapshot.bytes);
  if (isSame) return;
  throw new SyncCredsError("FILE_CHANGED", `${origin.shownAs} has been changed meanwhile`, {
    why: "somebody has written it since it was read; it was left as they made it",
    next: ["Run the command again"],
  });
}

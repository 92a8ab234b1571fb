import type { Ports } from "../ports.ts";
import { waitForRenewal } from "./claude-locks.ts";
import type { Waiting } from "./claude-locks.ts";
import { notFound } from "./failures.ts";
import type { Look } from "./failures.ts";
import { describeHolding, holdsNoLogin } from "./located.ts";
import type { Located } from "./located.ts";
import { locateOnMac } from "./macos.ts";
import { readCredentialsFile } from "./read-file.ts";
import { listSources } from "./sources.ts";
import type { Source } from "./sources.ts";
import { findWindowsLogins } from "./wsl.ts";
import type { WindowsLogin } from "./wsl.ts";

/**
 * Finds and reads the credentials of this user, never in the middle of a write, and after a renewal that
 * Claude Code is busy with. On macOS the Keychain and the file are compared; inside WSL the logins of Windows are shown.
 * Nothing is changed. The login may still be of no use: that is for `validate` to say.
 * Errors: `CREDENTIALS_NOT_FOUND`, `CREDENTIALS_UNREADABLE`, `INTERRUPTED`.
 */
export async function locateCredentials(ports: Ports, waiting: Waiting = {}): Promise<Located> {
  const sources = listSources(ports);
  const current = sources.find(({ isLegacy }) => !isLegacy);
  const lockNote = current && (await waitForRenewal(current.directory, ports, waiting));
  const located =
    ports.platform === "darwin"
      ? await locateOnMac(sources, ports, waiting.signal)
      : await locateInFiles(sources, ports);
  return lockNote === undefined ? located : { ...located, notes: [lockNote, ...located.notes] };
}

/** The first file with a login of Claude Code; else the first that is there at all. */
async function locateInFiles(sources: readonly Source[], ports: Ports): Promise<Located> {
  const looks: Look[] = [];
  let unfit: Located | undefined;
  for (const source of sources) {
    const located = await readCredentialsFile(source, ports);
    // What is broken is not passed over for an older login.
    if (located !== undefined && !holdsNoLogin(located.credentials)) {
      const windows = await findOthers(sources, ports);
      const others = windows.map((one) => noteWindows(one, located, ports.now()));
      return { ...located, notes: [...others, ...located.notes] };
    }
    const found =
      located === undefined ? "nothing" : describeHolding(located.credentials, ports.now());
    looks.push({ label: source.label, found });
    unfit ??= located;
  }
  const windows = await findOthers(sources, ports);
  if (unfit !== undefined && windows.length === 0) return unfit;
  throw notFound(sources, looks, ports, windows);
}

/** Who has named a directory has said which login is meant: then there are no others. */
async function findOthers(sources: readonly Source[], ports: Ports): Promise<WindowsLogin[]> {
  const isNamed = sources.some(({ variable }) => variable !== undefined);
  return isNamed ? [] : await findWindowsLogins(ports);
}

/** Which of two is meant is not guessed: both are shown. */
function noteWindows(windows: WindowsLogin, used: Located, now: number): string {
  const mine = `${used.label} of WSL holds ${describeHolding(used.credentials, now)}, and was read`;
  const its = `${windows.label} of Windows holds ${describeHolding(windows.credentials, now)}`;
  return `${mine}; ${its}: to push that one, \`${windows.command}\``;
}

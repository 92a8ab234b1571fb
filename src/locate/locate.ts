import type { Ports } from "../ports.ts";
import { waitForRenewal } from "./claude-locks.ts";
import type { Waiting } from "./claude-locks.ts";
import { notFound } from "./failures.ts";
import type { Look } from "./failures.ts";
import { isWsl } from "./is-wsl.ts";
import { describeHolding, holdsNoLogin } from "./located.ts";
import type { Located } from "./located.ts";
import { locateOnMac } from "./macos.ts";
import { readCredentialsFile } from "./read-file.ts";
import { listSources } from "./sources.ts";
import type { Source } from "./sources.ts";
import { findWindowsLogins, noteWindowsLogins } from "./wsl.ts";

/**
 * Finds and reads the login that this user's Claude Code goes by, never in the middle of a write, and after a renewal that
 * Claude Code is busy with. Nothing is changed. What is found may still be of no use: that is for `validate` to say.
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

async function locateInFiles(sources: readonly Source[], ports: Ports): Promise<Located> {
  // A directory that the user has named is an answer to the question which login is meant.
  const mayBeWindows = sources.every(({ variable }) => variable === undefined);
  const windows = mayBeWindows && (await isWsl(ports)) ? await findWindowsLogins(ports) : [];
  const looks: Look[] = [];
  let unfit: Located | undefined;
  for (const source of sources) {
    const located = await readCredentialsFile(source, ports);
    // The search goes on past MCP logins; a broken file is not passed over for an older login.
    if (located !== undefined && !holdsNoLogin(located.credentials)) {
      const others = noteWindowsLogins(windows, located, ports.now());
      return { ...located, notes: [...others, ...located.notes] };
    }
    const found =
      located === undefined ? "nothing" : describeHolding(located.credentials, ports.now());
    looks.push({ label: source.label, found });
    unfit ??= located;
  }
  if (unfit !== undefined && windows.length === 0) return unfit;
  throw notFound(sources, looks, ports, windows);
}

import type { Answer } from "./frames.ts";
import { ABSENT, parseHostFiles, splitAfter } from "./host-files.ts";
import type { HostFile } from "./host-files.ts";
import { printable } from "./printable.ts";

/** A change of the past, with every file of it as it was before. */
export interface Backup {
  /** What names it to a person: the hexadecimal name of its run. */
  readonly id: string;
  /** When it was committed, or set aside; epoch milliseconds by the host's clock. */
  readonly at: number;
  readonly who: string;
  /** What made it, as `renderPurpose` says it. */
  readonly what: string;
  /** False: the change was taken back, but for files that somebody else had changed meanwhile. */
  readonly isCommitted: boolean;
  readonly files: readonly BackupFile[];
}

/** One file of it. Its states are SHA-256 in hexadecimal, or `absent`. */
export interface BackupFile {
  /** Absolute path on the host. */
  readonly path: string;
  readonly was: string;
  readonly became: string;
  readonly asRoot: boolean;
  /** The copy; absent when nothing was there. */
  readonly copy: HostFile;
}

/** Reads the answer to `backups`, newest first. What cannot be sent back as it came is left out. */
export function parseBackups(answer: Answer): Backup[] {
  const copies = parseHostFiles(answer);
  const backups: (Backup & { files: BackupFile[] })[] = [];
  let awaited: BackupFile | undefined;
  for (const { key, value } of answer.facts) {
    const last = backups.at(-1);
    if (key === "backup") {
      const [words, who] = splitAfter(value, 2);
      const [state = "", name = ""] = words.split(" ");
      backups.push({
        ...parseName(name),
        who: printable(who),
        what: "push",
        isCommitted: state === "committed",
        files: [],
      });
    } else if (key === "what" && last !== undefined) {
      backups[backups.length - 1] = { ...last, what: printable(value) };
    } else if (key === "entry" && last !== undefined) {
      awaited = parseEntry(value);
      if (awaited !== undefined) last.files.push(awaited);
    } else if (key === "look" && awaited !== undefined && last !== undefined) {
      const [, path] = splitAfter(value, 1);
      last.files[last.files.length - 1] = { ...awaited, copy: copies.get(path) ?? ABSENT };
      awaited = undefined;
    }
  }
  return backups;
}

function parseEntry(line: string): BackupFile | undefined {
  const [words, path] = splitAfter(line, 3);
  const [was = "", became = "", as = ""] = words.split(" ");
  if (!path.startsWith("/") || /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(path)) return undefined;
  return { path, was, became, asRoot: as === "as_root", copy: ABSENT };
}

/** `20261124T223744Z-sync-creds-3f9a12bc55d01e77` */
function parseName(name: string): Pick<Backup, "id" | "at"> {
  const [, y, mo, d, h, mi, s, run = ""] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-sync-creds-(.+)$/.exec(name) ?? [];
  return {
    id: printable(run === "" ? name : run),
    at: Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`),
  };
}

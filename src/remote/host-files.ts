import type { Answer } from "./frames.ts";

/** A path on the host. */
export interface Entry {
  readonly kind: "absent" | "file" | "directory" | "link" | "other";
  /** As `ls -l` prints it: `-rw-------`. */
  readonly mode: string;
  readonly uid: number;
  readonly links: number;
}

/** A file on the host as it was seen; without bytes when it is unreadable or over 256 KiB, or neither a regular
 * file nor a link to one. */
export interface HostFile extends Entry {
  readonly bytes: Buffer | undefined;
}

/** What was found, by absolute path; a path that was looked at and is not there has no entry. */
export type HostFiles = ReadonlyMap<string, HostFile>;

/** A path that is not there. */
export const ABSENT: HostFile = { kind: "absent", mode: "", uid: -1, links: 0, bytes: undefined };

/** Reads `kind mode uid links`, as far as it is told. */
export function parseEntry(line: string | undefined): Entry {
  const [kind = "absent", mode = "", uid = "", links = ""] = (line ?? "absent").split(" ");
  return {
    kind: isEntryKind(kind) ? kind : "other",
    mode,
    uid: Number(uid || -1),
    links: Number(links || 0),
  };
}

/** The files that an answer shows: a `look=` line for each, and a `bytes=` line behind it where they were readable. */
export function parseHostFiles({ facts }: Answer): HostFiles {
  const files = new Map<string, HostFile>();
  let last: string | undefined;
  for (const { key, value } of facts) {
    if (key === "look") {
      const [words, path] = splitAfter(value, 4);
      files.set(path, { ...parseEntry(words), bytes: undefined });
      last = path;
    } else if (key === "bytes" && last !== undefined) {
      files.set(last, { ...(files.get(last) ?? ABSENT), bytes: Buffer.from(value, "hex") });
    }
  }
  return files;
}

/** A mode as `ls -l` prints it, in octal digits for `chmod`: `-rw-r--r--` is `644`. */
export function octalOf(mode: string): string {
  const digitAt = (at: number) =>
    (mode[at] === "r" ? 4 : 0) +
    (mode[at + 1] === "w" ? 2 : 0) +
    (/[xst]/.test(mode[at + 2] ?? "") ? 1 : 0);
  return [1, 4, 7].map(digitAt).join("");
}

/** The first `count` words, and the rest of the line as it is: a path may hold blanks. */
export function splitAfter(line: string, count: number): [words: string, rest: string] {
  const words = line.split(" ");
  return [words.slice(0, count).join(" "), words.slice(count).join(" ")];
}

function isEntryKind(text: string): text is Entry["kind"] {
  return ["absent", "file", "directory", "link", "other"].includes(text);
}

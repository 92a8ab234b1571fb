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

/** More is not shown; one byte more than this was sent. */
const MOST_BYTES = 256 * 1024;

/** Reads `kind path`, with what `ls -ldn` has listed of the path. */
export function parseEntry(line: string | undefined, listed: string): Entry {
  const [kind, path] = splitAfter(line ?? "absent", 1);
  const [mode = "", links, uid] = kind === "absent" ? [] : findListed(path, listed);
  return {
    kind: isEntryKind(kind) ? kind : "other",
    mode: /^[-a-zA-Z+.@]*$/.test(mode) ? mode : "?",
    uid: Number(uid ?? -1),
    links: Number(links ?? 0),
  };
}

/** The files that an answer shows: a `look=` line for each, and a `bytes=` line behind it where they were readable. */
export function parseHostFiles(answer: Answer): HostFiles {
  const listed = answer.get("list") ?? "";
  const files = new Map<string, HostFile>();
  let last: string | undefined;
  for (const { key, value } of answer.facts) {
    if (key === "look") {
      last = splitAfter(value, 1)[1];
      files.set(last, { ...parseEntry(value, listed), bytes: undefined });
    } else if (key === "bytes" && last !== undefined && value.length <= 2 * MOST_BYTES) {
      files.set(last, { ...(files.get(last) ?? ABSENT), bytes: Buffer.from(value, "hex") });
    }
  }
  return files;
}

/** The words of a line of `ls -ldn`, which begins with mode, links and owner; it ends with the path, or with where a link leads. */
function findListed(path: string, listed: string): string[] {
  const line = listed
    .split("\n")
    .find((one) => one.endsWith(` ${path}`) || one.includes(` ${path} -> `));
  return line?.split(/ +/) ?? [];
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

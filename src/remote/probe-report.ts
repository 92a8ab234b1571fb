import type { Answer } from "./frames.ts";
import { printable } from "./printable.ts";

/** What the remote half saw of the host before anything was changed. */
export interface ProbeReport {
  /** The account that the remote half runs as. */
  readonly user: string;
  readonly uid: number;
  readonly home: string;
  /** Claude's configuration directory on the host, absolute, links resolved. */
  readonly configDir: string;
  readonly homeEntry: Entry;
  readonly dirEntry: Entry;
  readonly fileEntry: Entry;
  /** The credentials file as it is; absent, unreadable or no regular file: undefined. */
  readonly file: Buffer | undefined;
  /** Free space where the file would be written, in KiB. */
  readonly freeKiB: number | undefined;
  /** The host's clock, epoch milliseconds. */
  readonly clock: number;
  /** Programs that the remote half needs and the host lacks. */
  readonly missing: readonly string[];
  readonly wrapper: WrapperProcess | undefined;
  /** systemd's word for the unit: `active`, `failed`, `not-found`… */
  readonly unit: string | undefined;
  /** The process on the port is not one that we may stop. */
  readonly foreign: boolean;
  /** What stands at the wrapper's directory (`process` only). */
  readonly directory: string | undefined;
  readonly shadows: readonly ShadowFact[];
  readonly claudeVersion: string | undefined;
  /** Run and person that hold the lock at this moment. */
  readonly lockedBy: string | undefined;
  /** Whose unfinished change lies on the host. */
  readonly leftover: string | undefined;
}

/** A path on the host. */
export interface Entry {
  readonly kind: "absent" | "file" | "directory" | "link" | "other";
  /** As `ls -l` prints it: `-rw-------`. */
  readonly mode: string;
  readonly uid: number;
  readonly links: number;
}

/** The wrapper's process as far as this account can see it. */
export interface WrapperProcess {
  readonly pid: number | undefined;
  /** Start time in the host's own unit; means nothing but equality. */
  readonly start: string | undefined;
  readonly uid: number | undefined;
}

/** Something that outranks the credentials file. Names and classes only, never a value. */
export interface ShadowFact {
  readonly name: string;
  readonly place: "process" | "settings.json";
  /** What kind of value it holds, by its public prefix. */
  readonly value: "api-key" | "oauth-token" | "set";
}

/**
 * Reads the answer to `probe`. What is only for messages is made fit for a terminal; `home` and `configDir` stay as the
 * host wrote them, for they are used.
 */
export function parseProbe(answer: Answer): ProbeReport {
  const told = (key: string): string | undefined => {
    const value = answer.get(key);
    return value === undefined ? undefined : printable(value);
  };
  const user = /^uid=(\d+)\(([^)]*)\)/.exec(told("user") ?? "");
  const hex = answer.get("hex");
  const free = answer.get("free");
  return {
    user: user?.[2] ?? "?",
    uid: Number(user?.[1] ?? -1),
    home: answer.get("home") ?? "",
    configDir: answer.get("dir") ?? "",
    homeEntry: parseEntry(told("home.is")),
    dirEntry: parseEntry(told("dir.is")),
    fileEntry: parseEntry(told("file.is")),
    file: hex === undefined ? undefined : Buffer.from(hex, "hex"),
    freeKiB: free === undefined ? undefined : Number(free),
    clock: Number(answer.get("clock")) * 1000,
    missing: answer.all("missing").map(printable),
    wrapper: parseWrapper(answer),
    unit: told("unit"),
    foreign: answer.get("foreign") === "yes",
    directory: told("directory"),
    shadows: parseShadows(answer),
    claudeVersion: told("claude"),
    lockedBy: told("lock"),
    leftover: told("pending"),
  };
}

/** The wrapper's process from the answer to `probe` or `restart`. */
export function parseWrapper(answer: Answer): WrapperProcess | undefined {
  const line = answer.get("wrapper");
  if (line === undefined) return undefined;
  const [pid, start, uid] = line.split(" ").map((word) => (word === "?" ? undefined : word));
  return {
    pid: pid === undefined ? undefined : Number(pid),
    start,
    uid: uid === undefined ? undefined : Number(uid),
  };
}

/**
 * What outranks the file, from the answer to `probe` or `restart`. An empty variable does not (seen with Claude Code
 * 2.1.330: with `ANTHROPIC_API_KEY=` the file is used).
 */
export function parseShadows(answer: Answer): ShadowFact[] {
  const fromProcess = answer.all("env").flatMap((line): ShadowFact[] => {
    const [name = "", value = ""] = printable(line).split(" ");
    if (name === "?" || value === "empty" || name === "ANTHROPIC_BASE_URL") return [];
    return [
      {
        name,
        place: "process",
        value: value === "api-key" || value === "oauth-token" ? value : "set",
      },
    ];
  });
  const fromSettings = [...new Set(answer.all("setting").map(printable))].map(
    (name): ShadowFact => ({
      name,
      place: "settings.json",
      value: "set",
    }),
  );
  return [...fromProcess, ...fromSettings];
}

function parseEntry(line: string | undefined): Entry {
  const [kind = "absent", mode = "", uid = "", links = ""] = (line ?? "absent").split(" ");
  return {
    kind: isEntryKind(kind) ? kind : "other",
    mode,
    uid: Number(uid || -1),
    links: Number(links || 0),
  };
}

function isEntryKind(text: string): text is Entry["kind"] {
  return ["absent", "file", "directory", "link", "other"].includes(text);
}

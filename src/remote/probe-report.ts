import type { Answer } from "./frames.ts";
import { ABSENT, parseEntry, parseHostFiles, splitAfter } from "./host-files.ts";
import type { Entry, HostFiles } from "./host-files.ts";
import { printable } from "./printable.ts";
import type { ShadowFact, ShadowPlace, ValueClass } from "./shadow-fact.ts";

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
  /** Every file that a change may come to touch, and Claude's settings. */
  readonly files: HostFiles;
  /** The folder that the wrapper works in, absolute, where it is known. */
  readonly project: string | undefined;
  /** The file of ours that the supervisor reads: a unit's drop-in, an override of compose. */
  readonly wiring: string | undefined;
  /** Free space where the file would be written, in KiB. */
  readonly freeKiB: number | undefined;
  /** Names this host and this start of it, where its kernel tells: two names of one host have the same. */
  readonly boot: string | undefined;
  /** The host's clock, epoch milliseconds. */
  readonly clock: number;
  /** Programs that the remote half needs and the host lacks. */
  readonly missing: readonly string[];
  readonly wrapper: WrapperProcess | undefined;
  /** The supervisor's word for the wrapper: `active`, `running`, `failed`, `not-found`… */
  readonly unit: string | undefined;
  /** The process on the port is not one that we may stop. */
  readonly foreign: boolean;
  /** What stands at the wrapper's directory (`process` only). */
  readonly directory: string | undefined;
  readonly shadows: readonly ShadowFact[];
  /** The environment of the wrapper's process was seen: what `shadows` does not have of it is not in it. */
  readonly environmentSeen: boolean;
  /** Files that may hold something of the kind and that this account cannot read. */
  readonly unread: readonly string[];
  readonly claudeVersion: string | undefined;
  /** Who holds the lock at this moment, as `parseHolder` reads it. */
  readonly lockedBy: string | undefined;
  /** Whose unfinished change lies on the host. */
  readonly leftover: string | undefined;
  /** The last line of the host's own history, where it was asked for: when, which run, how it ended, who. */
  readonly lastRun: LastRun | undefined;
}

/** One line of the history that a host keeps. */
export interface LastRun {
  readonly at: string;
  /** The name of the change, as `Visit.id` has it. */
  readonly run: string;
  readonly ending: string;
  readonly who: string;
}

/** The wrapper's process as far as this account can see it. */
export interface WrapperProcess {
  readonly pid: number | undefined;
  /** Start time in the host's own unit; means nothing but equality. */
  readonly start: string | undefined;
  readonly uid: number | undefined;
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
  const files = parseHostFiles(answer);
  const configDir = answer.get("dir") ?? "";
  const credentials = files.get(`${configDir}/.credentials.json`) ?? ABSENT;
  const listed = answer.get("list") ?? "";
  return {
    user: user?.[2] ?? "?",
    uid: Number(user?.[1] ?? -1),
    home: answer.get("home") ?? "",
    configDir,
    homeEntry: parseEntry(answer.get("home.is"), listed),
    dirEntry: parseEntry(answer.get("dir.is"), listed),
    fileEntry: credentials,
    file: credentials.bytes,
    files,
    project: toPath(answer.get("project")),
    wiring: toPath(answer.get("wiring")),
    freeKiB: parseFree(answer.get("free") ?? answer.get("df")),
    boot: told("boot"),
    clock: Number(answer.get("clock")) * 1000,
    missing: answer.all("missing").map(printable),
    wrapper: parseWrapper(answer),
    unit: told("unit"),
    foreign: answer.get("foreign") === "yes",
    directory: told("directory"),
    shadows: parseShadows(answer),
    environmentSeen:
      parseWrapper(answer)?.pid !== undefined && !answer.all("env").some((line) => line === "?"),
    unread: answer.all("unread").map((line) => printable(splitAfter(line, 1)[1])),
    claudeVersion: told("claude"),
    lockedBy: told("lock"),
    leftover: told("pending"),
    lastRun: parseLastRun(answer.get("last")),
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
 * What gives Claude Code its variables, from the answer to `probe` or `restart`: in the wrapper's process, and in the files
 * around it. Settings are not among it: they are files of the report.
 */
export function parseShadows(answer: Answer): ShadowFact[] {
  const ofProcess = answer.all("env").flatMap((line): ShadowFact[] => {
    const [name = "", value = ""] = printable(line).split(" ");
    return name === "?" ? [] : [{ name, place: "process", value: toClass(value) }];
  });
  const ofFiles = answer.all("var").map((text): ShadowFact => {
    const [words, path] = splitAfter(text, 4);
    const [place = "", number = "", value = "", name = ""] = printable(words).split(" ");
    const line = Number(number);
    return { name, place: toPlace(place), value: toClass(value), path: printable(path), line };
  });
  return [...ofProcess, ...ofFiles];
}

/** A number, or what `df -Pk` says: it stands in the fourth column, below a headline. */
function parseFree(told: string | undefined): number | undefined {
  const free = told?.includes("\n") === true ? told.split("\n")[1]?.split(/ +/)[3] : told;
  return free !== undefined && /^\d+$/.test(free) ? Number(free) : undefined;
}

/** A path that could not be shown as it is, nor sent back on a line of its own, is none. */
function toPath(text: string | undefined): string | undefined {
  return text?.startsWith("/") === true && printable(text) === text ? text : undefined;
}

function toClass(text: string): ValueClass {
  return text === "api-key" || text === "oauth-token" || text === "empty" ? text : "set";
}

const PLACES = new Map<string, ShadowPlace>(
  (
    [
      "unit",
      "unit-env-file",
      "compose",
      "compose-env-file",
      "pm2",
      "supervisor",
      "launchd",
      "env-file",
      "dot-env",
    ] as const
  ).map((place) => [place, place]),
);

/** A word that we do not know means the least: a file that services do not read. */
function toPlace(text: string): ShadowPlace {
  return PLACES.get(text) ?? "shell-rc";
}

function parseLastRun(line: string | undefined): LastRun | undefined {
  if (line === undefined) return undefined;
  const [at = "", run = "", ending = "", who = ""] = line.split("\t").map(printable);
  return { at, run: run.replace(/^sync-creds-/, ""), ending, who };
}

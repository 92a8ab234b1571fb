import type { Entry } from "../../../src/remote/host-files.ts";
import type { ProbeReport } from "../../../src/remote/probe-report.ts";

/** A path that is not there. */
export const ABSENT: Entry = { kind: "absent", mode: "", uid: -1, links: 0 };

/** A private plain file of the account. */
export const PRIVATE_FILE: Entry = { kind: "file", mode: "-rw-------", uid: 1001, links: 1 };

/** The report of a host in good order that has no login yet; the parts that a test is about are passed in. */
export function probeReport(different: Partial<ProbeReport> = {}): ProbeReport {
  const report: ProbeReport = {
    user: "deploy",
    uid: 1001,
    home: "/home/deploy",
    configDir: "/home/deploy/.claude",
    homeEntry: { kind: "directory", mode: "drwxr-xr-x", uid: 1001, links: 9 },
    dirEntry: { kind: "directory", mode: "drwx------", uid: 1001, links: 3 },
    fileEntry: ABSENT,
    file: undefined,
    files: new Map(),
    project: undefined,
    wiring: undefined,
    unread: [],
    freeKiB: 1_000_000,
    boot: undefined,
    clock: 0,
    missing: [],
    wrapper: { pid: 4711, start: "88231", uid: 1001 },
    unit: undefined,
    foreign: false,
    directory: undefined,
    shadows: [],
    environmentSeen: true,
    claudeVersion: undefined,
    lockedBy: undefined,
    leftover: undefined,
    lastRun: undefined,
    ...different,
  };
  // The credentials file is one of the files that were seen.
  const { configDir, fileEntry, file, files } = report;
  if (fileEntry.kind === "absent") return report;
  const credentials = { ...fileEntry, bytes: file };
  return { ...report, files: new Map([[`${configDir}/.credentials.json`, credentials], ...files]) };
}

import type { InspectReport } from "../../../src/remote/inspect-report.ts";

/** What a host shows of a wrapper that somebody has started by hand; the parts that a test is about are passed in. */
export function inspection(different: Partial<InspectReport> = {}): InspectReport {
  return {
    chain: [
      { pid: 4711, name: "python3" },
      { pid: 1, name: "systemd" },
    ],
    isByPort: true,
    cgroups: [],
    pm2: undefined,
    supervisord: undefined,
    isContained: false,
    containers: [],
    job: undefined,
    cwd: "/srv/wrapper",
    command: "python3 wrapper.py",
    wrapperHome: "/home/deploy",
    wrapperDir: undefined,
    system: "Linux 6.1.0 x86_64",
    os: "Debian GNU/Linux 12 (bookworm)",
    backups: 0,
    claudeStatus: undefined,
    log: [],
    ...different,
  };
}

import type { SyncCredsError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import type { Entry } from "../remote/host-files.ts";
import type { ProbeReport } from "../remote/probe-report.ts";
import { hazard, unsafeAt } from "./unsafe-files.ts";

const LEAST_FREE_KIB = 256;

/**
 * The first reason why a change on this host would be unsafe or could not end well; undefined when there is none. A change
 * that is not about its login may do without a wrapper that reads it.
 */
export function findHazard(
  host: Host,
  report: ProbeReport,
  about: "login" | "other" = "login",
): SyncCredsError | undefined {
  const isAboutLogin = about === "login";
  return (
    missingTools(report) ??
    strangePaths(report) ??
    (isAboutLogin ? foreignAccount(host, report) : undefined) ??
    unsafePlaces(report) ??
    (isAboutLogin ? unsafeFile(report) : undefined) ??
    noSpace(report) ??
    noWayToRestart(host, report)
  );
}

function missingTools({ missing }: ProbeReport): SyncCredsError | undefined {
  if (missing.length === 0) return undefined;
  return hazard("REMOTE_TOOLS", `the host lacks ${missing.join(", ")}`, {
    why: "every copy is checked by its SHA-256 before it takes effect",
    next: [`Install ${missing.join(", ")} on the host (Debian: \`apt install coreutils\`)`],
  });
}

/** Such a path could not be shown as it is, nor sent back on a line of its own. */
function strangePaths({ home, configDir, user }: ProbeReport): SyncCredsError | undefined {
  if (configDir.startsWith("/") && !UNPRINTABLE.test(home + configDir)) return undefined;
  return hazard("TARGET_UNSAFE", `the host names no usable directory for ${user}`, {
    why: "its home or Claude's configuration directory is not absolute or holds control characters",
    next: ["Set `configDir` in hosts.json, and see what `echo ~` prints on the host"],
  });
}

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** The file must belong to the account that runs the wrapper; a file in another home cures nothing. */
function foreignAccount(host: Host, report: ProbeReport): SyncCredsError | undefined {
  const owner = report.wrapper?.uid;
  const managed = host.restart.kind !== "command";
  if (owner === undefined || owner === report.uid || host.configDir !== undefined || !managed) {
    return undefined;
  }
  return hazard("TARGET_UNSAFE", `the wrapper runs under another account than ${report.user}`, {
    why: `its process has uid ${owner}, this login has uid ${report.uid}: it would not read the file we write`,
    next: ["Set `runAs` to the wrapper's account in hosts.json, or log in as it"],
  });
}

function unsafePlaces({ home, homeEntry, configDir, dirEntry, uid, user }: ProbeReport) {
  const isAtHome = configDir.startsWith(`${home}/`);
  if (isAtHome && homeEntry.kind !== "directory") {
    return hazard("TARGET_UNSAFE", `the home directory of ${user} does not exist`, {
      why: `${home || "it"} is not a directory`,
      next: ["Create it on the host, or set `configDir` in hosts.json"],
    });
  }
  const places: [string, Entry][] = [[configDir, dirEntry]];
  if (isAtHome) places.unshift([home, homeEntry]);
  for (const [path, entry] of places) {
    if (entry.kind === "absent") continue;
    if (entry.kind !== "directory") {
      return hazard("TARGET_UNSAFE", `${path} is not a directory`, {
        why: "Claude's configuration directory must be one",
        next: [`Look at it on the host: \`ls -ld ${path}\``],
      });
    }
    if (entry.uid !== uid && !(path === home && entry.uid === 0)) {
      return hazard("TARGET_UNSAFE", `${path} belongs to another account than ${user}`, {
        why: `it has owner ${entry.uid}, this login has uid ${uid}`,
        next: ["Set `runAs` to its owner in hosts.json, or log in as its owner"],
      });
    }
    if (isWritableByOthers(entry)) {
      return hazard("TARGET_UNSAFE", `${path} can be written by others`, {
        why: `its mode is ${entry.mode}: whoever may write there can replace the login`,
        next: [`On the host: \`chmod go-w ${path}\``],
      });
    }
  }
  return undefined;
}

function unsafeFile(report: ProbeReport) {
  const path = `${report.configDir}/.credentials.json`;
  return unsafeAt(path, report.fileEntry, report, false);
}

function noSpace({ freeKiB, configDir }: ProbeReport): SyncCredsError | undefined {
  if (freeKiB === undefined || freeKiB >= LEAST_FREE_KIB) return undefined;
  return hazard("INSTALL_FAILED", "the disk of the host is full", {
    why: `${freeKiB} KiB are free at ${configDir}; backup, journal and new file need ${LEAST_FREE_KIB}`,
    next: ["Free some space on the host, then push again"],
  });
}

function noWayToRestart({ restart }: Host, report: ProbeReport): SyncCredsError | undefined {
  if (restart.kind === "systemd" && (report.unit === undefined || report.unit === "not-found")) {
    return hazard(
      "RESTART_FAILED",
      `there is no ${restart.scope} unit ${restart.unit} on the host`,
      {
        why: report.unit === undefined ? "systemctl gave no answer" : "systemd does not know it",
        next: [
          `On the host: \`systemctl ${restart.scope === "user" ? "--user " : ""}list-units\`, then correct \`restart.unit\``,
          WHO_RUNS_IT,
        ],
      },
    );
  }
  if (
    (restart.kind === "process" || restart.kind === "docker-compose") &&
    report.directory !== "directory"
  ) {
    return hazard("RESTART_FAILED", `${restart.directory} is not a directory on the host`, {
      why: `it is ${report.directory ?? "unknown"}`,
      next: ["Correct `restart.directory` in hosts.json"],
    });
  }
  const missing = report.unit === "not-found" ? missingAtSupervisor(restart) : undefined;
  if (missing !== undefined) return missing;
  if (restart.kind === "process" && report.foreign) {
    return hazard("RESTART_FAILED", "another program holds the wrapper's port", {
      why: `process ${report.wrapper?.pid ?? "?"} was started neither in ${restart.directory} nor by \`restart.command\``,
      next: ["Correct `wrapper.url` or `restart` in hosts.json, or stop that process yourself"],
    });
  }
  return undefined;
}

/** The supervisor does not know what hosts.json says it runs. */
function missingAtSupervisor(restart: Host["restart"]): SyncCredsError | undefined {
  const [what, look] = nameAtSupervisor(restart) ?? [];
  if (what === undefined) return undefined;
  return hazard("RESTART_FAILED", `there is no ${what} on the host`, {
    why: "its supervisor does not know it, is not there, or does not talk to this account",
    next: [`On the host: \`${look}\`, then correct \`restart\` in hosts.json`, WHO_RUNS_IT],
  });
}

const WHO_RUNS_IT = "Or see what really runs it: `sync-creds doctor HOST`";

function nameAtSupervisor(restart: Host["restart"]): [what: string, look: string] | undefined {
  switch (restart.kind) {
    case "docker-compose":
      return [
        `container of the compose service ${restart.service} in ${restart.directory}`,
        `cd ${restart.directory} && docker compose ps -a`,
      ];
    case "docker":
      return [`container ${restart.container}`, "docker ps -a"];
    case "pm2":
      return [`pm2 process ${restart.name}`, "pm2 list"];
    case "supervisor":
      return [`program ${restart.program} of supervisord`, "supervisorctl status"];
    case "launchd":
      return [`${restart.scope} job ${restart.label} of launchd`, "launchctl list"];
    case "systemd":
    case "process":
    case "command":
    case "none":
      return undefined;
  }
}

/** Group or world may write: positions 5 and 8 of `drwxrwxrwx`. A sticky folder protects its entries. */
function isWritableByOthers({ mode }: Entry): boolean {
  const sticky = /[tT]/.test(mode.at(9) ?? "");
  return !sticky && (mode.at(5) === "w" || mode.at(8) === "w");
}

import { SyncCredsError } from "../errors.ts";
import type { ErrorCode } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import type { Entry, ProbeReport } from "../remote/probe-report.ts";

const LEAST_FREE_KIB = 256;

/** The first reason why a change on this host would be unsafe or could not end well; undefined when there is none. */
export function findHazard(host: Host, report: ProbeReport): SyncCredsError | undefined {
  return (
    missingTools(report) ??
    strangePaths(report) ??
    foreignAccount(host, report) ??
    unsafePlaces(report) ??
    unsafeFile(report) ??
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

function unsafeFile({ configDir, fileEntry, file, uid, user }: ProbeReport) {
  const path = `${configDir}/.credentials.json`;
  const look = [`Look at it on the host: \`ls -l ${path}\``];
  if (fileEntry.kind === "absent") return undefined;
  if (fileEntry.kind === "link") {
    return hazard("TARGET_UNSAFE", `${path} is a symbolic link`, {
      why: "replacing a link would leave the file it points to as it is, or write where nobody expects it",
      next: [...look, "Replace the link by the file, or set `configDir` to the real directory"],
    });
  }
  if (fileEntry.kind !== "file") {
    return hazard("TARGET_UNSAFE", `${path} is a ${fileEntry.kind}`, {
      why: "only a plain file can be replaced and put back",
      next: look,
    });
  }
  if (fileEntry.uid !== uid) {
    return hazard("TARGET_UNSAFE", `${path} belongs to another account than ${user}`, {
      why: `it has owner ${fileEntry.uid}, this login has uid ${uid}`,
      next: ["Set `runAs` to its owner in hosts.json, or log in as its owner"],
    });
  }
  if (fileEntry.links > 1) {
    return hazard("TARGET_UNSAFE", `${path} has several names`, {
      why: `it has ${fileEntry.links} hard links: the others would keep the old content`,
      next: look,
    });
  }
  if (file === undefined) {
    return hazard("TARGET_UNSAFE", `${path} cannot be read`, {
      why: `its mode is ${fileEntry.mode}; without reading it there is no way back`,
      next: [`On the host: \`chmod 600 ${path}\``],
    });
  }
  return undefined;
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
        ],
      },
    );
  }
  if (restart.kind === "process" && report.directory !== "directory") {
    return hazard("RESTART_FAILED", `${restart.directory} is not a directory on the host`, {
      why: `it is ${report.directory ?? "unknown"}`,
      next: ["Correct `restart.directory` in hosts.json"],
    });
  }
  if (restart.kind === "process" && report.foreign) {
    return hazard("RESTART_FAILED", "another program holds the wrapper's port", {
      why: `process ${report.wrapper?.pid ?? "?"} was started neither in ${restart.directory} nor by \`restart.command\``,
      next: ["Correct `wrapper.url` or `restart` in hosts.json, or stop that process yourself"],
    });
  }
  return undefined;
}

/** Group or world may write: positions 5 and 8 of `drwxrwxrwx`. A sticky folder protects its entries. */
function isWritableByOthers({ mode }: Entry): boolean {
  const sticky = /[tT]/.test(mode.at(9) ?? "");
  return !sticky && (mode.at(5) === "w" || mode.at(8) === "w");
}

function hazard(
  code: ErrorCode,
  what: string,
  explanation: { why: string; next: string[] },
): SyncCredsError {
  return new SyncCredsError(code, what, explanation);
}

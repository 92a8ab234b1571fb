import { SyncCredsError } from "../errors.ts";
import type { ErrorCode } from "../errors.ts";
import type { Entry } from "../remote/host-files.ts";
import type { ProbeReport } from "../remote/probe-report.ts";

/** Why a file that a change touches cannot be replaced and put back; undefined when it can. */
export function findUnsafe(
  { path, asRoot }: { readonly path: string; readonly asRoot: boolean },
  report: ProbeReport,
): SyncCredsError | undefined {
  const entry = report.files.get(path);
  return entry === undefined ? undefined : unsafeAt(path, entry, report, asRoot);
}

/** The same for a path whose entry is known. */
export function unsafeAt(
  path: string,
  entry: Entry,
  report: ProbeReport,
  asRoot: boolean,
): SyncCredsError | undefined {
  const { uid, user, files } = report;
  const look = [`Look at it on the host: \`ls -l ${path}\``];
  if (entry.kind === "absent") return undefined;
  if (entry.kind === "link") {
    return hazard("TARGET_UNSAFE", `${path} is a symbolic link`, {
      why: "replacing a link would leave the file it points to as it is, or write where nobody expects it",
      next: [...look, "Replace the link by the file, or name the real place in hosts.json"],
    });
  }
  if (entry.kind !== "file") {
    return hazard("TARGET_UNSAFE", `${path} is a ${entry.kind}`, {
      why: "only a plain file can be replaced and put back",
      next: look,
    });
  }
  if (entry.uid !== (asRoot ? 0 : uid)) {
    return hazard("TARGET_UNSAFE", `${path} belongs to another account than ${user}`, {
      why: `it has owner ${entry.uid}, this login has uid ${uid}`,
      next: ["Set `runAs` to its owner in hosts.json, or log in as its owner"],
    });
  }
  // Until an unfinished change has been undone, the other name may be the one under which it keeps the file.
  if (entry.links > 1 && report.leftover === undefined) {
    return hazard("TARGET_UNSAFE", `${path} has several names`, {
      why: `it has ${entry.links} hard links: the others would keep the old content`,
      next: look,
    });
  }
  const bytes =
    path === `${report.configDir}/.credentials.json` ? report.file : files.get(path)?.bytes;
  if (bytes === undefined) {
    return hazard("TARGET_UNSAFE", `${path} cannot be read`, {
      why: `its mode is ${entry.mode}; without reading it there is no way back`,
      next: [`On the host: \`chmod 600 ${path}\``],
    });
  }
  return undefined;
}

/** A reason not to change anything. */
export function hazard(
  code: ErrorCode,
  what: string,
  explanation: { why: string; next: string[] },
): SyncCredsError {
  return new SyncCredsError(code, what, explanation);
}

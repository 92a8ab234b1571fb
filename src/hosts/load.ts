import { SyncCredsError } from "../errors.ts";
import type { FileSnapshot, Ports } from "../ports.ts";
import { askForOpenAccess } from "./ask-acl.ts";
import {
  errorCodeOf,
  findConfigDirectory,
  pathRules,
  renderMode,
  renderShellWord,
  toAbsolutePath,
} from "./local-path.ts";
import { parseHosts, type HostsFile, type Origin } from "./parse.ts";
import { renderAclCure } from "./windows-acl.ts";

const LARGEST = 1024 * 1024;

/** hosts.json as text, and where it lies. */
export interface HostsText {
  readonly origin: Origin;
  /** Absent when there is no such file: `origin` is then the first place that was looked at. */
  readonly found?: { readonly text: string; readonly snapshot: FileSnapshot };
}

/**
 * Finds, checks and reads hosts.json: the file named, else that of `SYNC_CREDS_HOSTS`, else ./hosts.json,
 * else the one in the user's config directory. Errors: `CONFIG_NOT_FOUND`, `CONFIG_UNREADABLE`,
 * `CONFIG_UNSAFE` (others could have written it, and it holds commands), `CONFIG_INVALID`.
 */
export async function loadHosts(ports: Ports, explicitPath?: string): Promise<HostsFile> {
  const { origin, found } = await readHostsText(ports, explicitPath);
  if (found === undefined) throw notFound(placesFor(ports, explicitPath), explicitPath);
  return parseHosts(found.text, origin);
}

/** The same without a look at what the text says; that there is no file is no error. */
export async function readHostsText(ports: Ports, explicitPath?: string): Promise<HostsText> {
  const places = placesFor(ports, explicitPath);
  for (const path of places) {
    const snapshot = await readIfThere(path, ports);
    if (snapshot === undefined) continue;
    const origin = describeOrigin(path, ports);
    if (ports.platform === "win32") await verifyAcl(origin, ports);
    else verifyMode(snapshot, origin, ports);
    return { origin, found: { text: decodeText(snapshot, origin), snapshot } };
  }
  return { origin: describeOrigin(places[0], ports) };
}

function placesFor(
  ports: Ports,
  explicitPath: string | undefined,
): [first: string, ...others: string[]] {
  const named = explicitPath ?? (ports.env["SYNC_CREDS_HOSTS"] || undefined);
  if (named !== undefined) return [toAbsolutePath(named, ports.cwd, ports)];
  const rules = pathRules(ports);
  return [
    rules.join(ports.cwd, "hosts.json"),
    rules.join(findConfigDirectory(ports), "hosts.json"),
  ];
}

async function readIfThere(path: string, ports: Ports): Promise<FileSnapshot | undefined> {
  try {
    return await ports.files.read(path);
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new SyncCredsError("CONFIG_UNREADABLE", `${path} cannot be read`, {
      why: code === "EISDIR" ? "it is a folder" : `the system said ${code}`,
      next: [`Look at it with \`ls -ld ${renderShellWord(path)}\``],
      cause: error,
    });
  }
}

function notFound(candidates: readonly string[], explicitPath: string | undefined): SyncCredsError {
  const [first = "hosts.json"] = candidates;
  if (candidates.length > 1) {
    return new SyncCredsError("CONFIG_NOT_FOUND", "no hosts.json was found", {
      why: `there is none at ${candidates.join(" or ")}`,
      next: [
        "Name yours with `-c FILE` or the variable `SYNC_CREDS_HOSTS`",
        `Or make \`${first}\`: \`sync-creds hosts add\` asks for what it needs`,
      ],
    });
  }
  return new SyncCredsError("CONFIG_NOT_FOUND", `${first} does not exist`, {
    why: `${explicitPath === undefined ? "`SYNC_CREDS_HOSTS`" : "`-c`"} names it`,
    next: ["Correct the path"],
  });
}

function describeOrigin(path: string, ports: Ports): Origin {
  const rules = pathRules(ports);
  const nearby = rules.relative(ports.cwd, path);
  return {
    path,
    shownAs: nearby.startsWith("..") || rules.isAbsolute(nearby) ? path : nearby,
    toAbsolute: (text) => toAbsolutePath(text, rules.dirname(path), ports),
  };
}

async function verifyAcl({ path, shownAs }: Origin, ports: Ports): Promise<void> {
  const writers = (await askForOpenAccess(path, ports)).filter(({ mayWrite }) => mayWrite);
  if (writers.length === 0) return;
  const groups = writers.map(({ sid, group }) => `${group} (${sid})`).join(" and ");
  throw new SyncCredsError("CONFIG_UNSAFE", `${shownAs} can be changed by other users`, {
    why: `it holds commands that run on your hosts, and Windows lets ${groups} write it`,
    next: [`Run \`${renderAclCure(path, ports.userName, writers)}\``],
  });
}

function verifyMode({ uid, mode }: FileSnapshot, origin: Origin, ports: Ports): void {
  const file = renderShellWord(origin.shownAs);
  if (uid !== 0 && uid !== ports.uid) {
    throw new SyncCredsError("CONFIG_UNSAFE", `${origin.shownAs} belongs to another user`, {
      why: `it holds commands that run on your hosts, and user ${uid} can change them at any time`,
      next: [`Read it, then make it yours: \`sudo chown ${ports.uid ?? 0} ${file}\``],
    });
  }
  if ((mode & 0o022) !== 0) {
    throw new SyncCredsError("CONFIG_UNSAFE", `${origin.shownAs} can be changed by other users`, {
      why: `it holds commands that run on your hosts, and its mode is ${renderMode(mode)}`,
      next: [`Run \`chmod go-w ${file}\``],
    });
  }
}

function decodeText({ bytes }: FileSnapshot, { shownAs }: Origin): string {
  if (bytes.length > LARGEST) {
    throw new SyncCredsError("CONFIG_INVALID", `${shownAs} is larger than 1 MiB`, {
      why: "no hosts file is that large; this is probably another file",
      next: ["Name the right one with `-c FILE`"],
    });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SyncCredsError("CONFIG_INVALID", `${shownAs} is not text in UTF-8`, {
      why: "its bytes are no valid UTF-8; some editors save UTF-16 instead",
      next: ["Save it again as UTF-8"],
      cause,
    });
  }
}

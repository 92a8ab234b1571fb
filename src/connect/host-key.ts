import { SyncCredsError } from "../errors.ts";
import type { Ports } from "../ports.ts";
import { keyTypeOf } from "./key-blob.ts";
import {
  fingerprintOfKey,
  hasAuthority,
  hasOnlyRevokedKeys,
  type HostKeyJudgement,
  judgeHostKey,
  knownKeyTypes,
  type KnownHostsFile,
  renderKnownHostsLine,
} from "./known-hosts.ts";
import { inTurn, oncePerRun } from "../once-per-run.ts";
import { acceptingCommand } from "../remote/ssh-failures.ts";
import type { Route } from "./route.ts";

/** What is on record about one host's key. */
export interface HostKeyRecord {
  readonly knownKeyTypes: readonly string[];
  /** Certificates of an authority count for this host (`@cert-authority`). */
  readonly hasAuthority: boolean;
  /** Keys are on record, but each of them is revoked. */
  readonly isRevoked: boolean;
  judge(key: Buffer): HostKeyJudgement;
}

/** What known_hosts says now: another host may just have been added. A pinned key outranks the files. */
export async function readHostKeyRecord(route: Route, ports: Ports): Promise<HostKeyRecord> {
  const paths = [...route.knownHostsFiles.user, ...route.knownHostsFiles.global];
  const files = (await Promise.all(paths.map((path) => readKnownHosts(path, ports)))).flat();
  const { name, port } = nameOnRecord(route);
  const pinned = route.pinnedKey;
  return {
    knownKeyTypes: knownKeyTypes(files, name, port),
    hasAuthority: pinned === undefined && hasAuthority(files, name, port),
    isRevoked: hasOnlyRevokedKeys(files, name, port),
    judge(key) {
      const judgement = judgeHostKey(files, name, port, key);
      if (pinned === undefined || judgement.verdict === "revoked") return judgement;
      const verdict = fingerprintOfKey(key) === pinned ? "known" : "changed";
      return { verdict, knownFingerprints: [pinned], name: judgement.name };
    },
  };
}

/** Asks the human whether an unknown key is the host's. One key is asked about once, however many hosts. */
export function confirmHostKey(route: Route, ports: Ports, key: Buffer): Promise<boolean> {
  const { human } = ports;
  if (route.strict !== "ask" || human === undefined) return Promise.resolve(false);
  const fingerprint = fingerprintOfKey(key);
  return oncePerRun(ports, `confirm ${addressOf(route)} ${fingerprint}`, () =>
    inTurn(ports, () =>
      human.confirm(`Is this the key of ${nameOf(route)}?`, [
        `The host key of ${titleOf(route)} is not known yet.`,
        `${keyTypeOf(key)} key fingerprint: ${fingerprint}`,
        `Compare it with what this prints on the host itself: ${showOnHost(key)}`,
      ]),
    ),
  );
}

/** Writes an accepted key into the user's known_hosts. Call it only after the host has proved the key. */
export function rememberHostKey(route: Route, ports: Ports, key: Buffer): Promise<void> {
  const { name, port } = nameOnRecord(route);
  const [file] = route.knownHostsFiles.user;
  if (file === undefined || file === "/dev/null") return Promise.resolve();
  return oncePerRun(ports, `remember ${file} ${addressOf(route)} ${fingerprintOfKey(key)}`, () => {
    const salt = route.hashKnownHosts ? Buffer.from(ports.randomHex(20), "hex") : undefined;
    const added = ports.files.appendLine(file, renderKnownHostsLine(name, port, key, salt));
    return added.finally(() => recordsOf(ports).delete(file));
  });
}

/** Why a key was refused: `HOST_KEY_CHANGED`, `HOST_KEY_REVOKED` or `HOST_KEY_UNKNOWN`. */
export function hostKeyError(
  route: Route,
  key: Buffer,
  judgement: HostKeyJudgement,
): SyncCredsError {
  const address = titleOf(route);
  const pin =
    route.name === undefined ? undefined : `put it into \`hostKey\` of ${route.name} in hosts.json`;
  const shown = `${keyTypeOf(key)} ${fingerprintOfKey(key)}`;
  const known = judgement.knownFingerprints.join(", ");
  const { file, line } = judgement;
  const place = file === undefined ? "hosts.json" : `${file}:${line}`;
  const [userFile = "~/.ssh/known_hosts"] = route.knownHostsFiles.user;
  const nothingSent = "nothing was sent to it";

  if (judgement.verdict === "revoked") {
    return new SyncCredsError("HOST_KEY_REVOKED", `the host key of ${address} is revoked`, {
      why: `${place} marks ${shown} as @revoked; ${nothingSent}`,
      next: [
        "Find out who answers at this address; a host that still uses this key must get a new one",
      ],
    });
  }
  if (judgement.verdict === "changed") {
    return new SyncCredsError("HOST_KEY_CHANGED", `the host key of ${address} has changed`, {
      why: `${place} knows ${known}, the host shows ${shown}: somebody may be listening in, or the host was set up anew; ${nothingSent}`,
      next: [
        `Compare ${fingerprintOfKey(key)} with what this prints on the host itself: ${showOnHost(key)}`,
        file === undefined
          ? `If they are equal, ${pin}`
          : `If they are equal, forget the old key: \`ssh-keygen -R '${judgement.name}' -f ${file}\``,
      ],
    });
  }
  const authority =
    judgement.verdict === "ca-only"
      ? `${place} knows this host through a certificate authority only, which sync-creds cannot check; it showed ${shown}`
      : `it shows ${shown}, which is in none of ${[userFile, ...route.knownHostsFiles.global].join(", ")}`;
  return new SyncCredsError("HOST_KEY_UNKNOWN", `the host key of ${address} is not known`, {
    why: `${authority}; ${nothingSent}`,
    next: [
      `Compare ${fingerprintOfKey(key)} with what this prints on the host itself: ${showOnHost(key)}`,
      `If they are equal, ${pin === undefined ? "" : `${pin}, or `}accept it with \`${acceptingCommand(route.command, route.strict === "yes")}\``,
      `\`ssh-keyscan -p ${route.port} ${route.host} >> ${userFile}\` records whatever answers: it verifies nothing by itself`,
    ],
  });
}

/** `user@host:port`, for messages. */
export function addressOf({ user, host, port }: Pick<Route, "user" | "host" | "port">): string {
  return `${user}@${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** For questions: the host as hosts.json names it, and who answers there. */
export function nameOf(route: Route): string {
  return route.name === undefined ? titleOf(route) : `${route.name} (${addressOf(route)})`;
}

/** `user@host:port`, and whether it is only a jump host. */
export function titleOf(route: Route): string {
  return route.name === undefined ? `jump host ${addressOf(route)}` : addressOf(route);
}

function nameOnRecord({ host, port, hostKeyAlias }: Route): { name: string; port: number } {
  return hostKeyAlias === undefined ? { name: host, port } : { name: hostKeyAlias, port: 22 };
}

function showOnHost(key: Buffer): string {
  const kind = /ed25519|ecdsa|rsa|dss/.exec(keyTypeOf(key))?.[0] ?? "*";
  return `\`ssh-keygen -l -f /etc/ssh/ssh_host_${kind}_key.pub\``;
}

async function readKnownHosts(path: string, ports: Ports): Promise<readonly KnownHostsFile[]> {
  const modifiedAt = await ports.files.modifiedAt(path).catch(() => undefined);
  const records = recordsOf(ports);
  const earlier = records.get(path);
  if (earlier !== undefined && earlier.modifiedAt === modifiedAt) return await earlier.files;
  const files = ports.files.read(path).then(
    ({ bytes }) => [{ path, text: bytes.toString("utf8") }],
    // Missing or unreadable: as for OpenSSH, a file that says nothing makes no host known.
    () => [],
  );
  records.set(path, { modifiedAt, files });
  return await files;
}

interface Reading {
  readonly modifiedAt: number | undefined;
  readonly files: Promise<readonly KnownHostsFile[]>;
}

/** The files as this run has read them last, so that a fleet does not read and parse them once for each host. */
function recordsOf(ports: Ports): Map<string, Reading> {
  const records = readings.get(ports) ?? new Map<string, Reading>();
  readings.set(ports, records);
  return records;
}

const readings = new WeakMap<Ports, Map<string, Reading>>();

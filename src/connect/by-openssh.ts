import { SyncCredsError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import type { Ports } from "../ports.ts";
import { inTurn } from "../once-per-run.ts";
import type { OpensshOptions, SshQuestion } from "../remote/open-session.ts";
import { openOpensshSession } from "../remote/openssh-session.ts";
import { printable } from "../remote/printable.ts";
import type { Session } from "../remote/session.ts";
import { Secret } from "../secret.ts";
import type { Leg } from "./by-node.ts";
import { nameOf, titleOf } from "./host-key.ts";
import { needsTouch } from "./keys.ts";
import { Answers } from "./passwords.ts";
import type { Route } from "./route.ts";
import { guardedWay } from "./ssh-command.ts";

export interface ByOpensshOptions {
  readonly turn?: string;
  readonly signal?: AbortSignal;
  readonly notes?: (line: string) => void;
}

/**
 * Connects through the system's `ssh`, which reads the user's configuration by itself, jump hosts included; what hosts.json
 * says stands on its command line. Its questions are answered here. Errors: see `connect`.
 */
export async function connectByOpenssh(
  host: Host,
  legs: readonly Leg[],
  ports: Ports,
  { turn = "1/1", signal, notes }: ByOpensshOptions,
): Promise<Session> {
  const route = legs.at(-1)?.route;
  if (route === undefined) throw new Error("a route without a host");
  const pin: Pin = { isAsked: false };
  const answer = answererFor(route, ports, pin, notes);
  const isTouched = legs.some(({ keys }) => needsTouch(keys));
  const openNow = async (): Promise<Session> => {
    const opening = openOpensshSession({
      argv: opensshArguments(host, route),
      destination: host.ssh.host,
      address: titleOf(route),
      command: route.command,
      hops: route.hops.map((hop) => ({
        address: titleOf(hop),
        command: hop.command,
        names: namesInLog(hop),
      })),
      files: ports.files,
      env: ports.env,
      platform: ports.platform,
      connectTimeoutMs: patienceOf(legs) + (isTouched ? TOUCH_MS : 0),
      ...(answer && { answer }),
      ...(signal && { signal }),
    });
    return await opening.catch((error: unknown) => {
      throw pin.shown === undefined ? error : pinBroken(route, pin.shown);
    });
  };
  if (!isTouched) return await openNow();
  // One after the other, or nobody knows for which host the key blinks.
  return await inTurn(
    ports,
    () => {
      notes?.(`touch your key for ${route.label} (${turn})`);
      return openNow();
    },
    "touch",
  );
}

/** How the question about a pinned key went. */
interface Pin {
  isAsked: boolean;
  lastKey?: string;
  /** The key that the host has shown and that is not the pinned one. */
  shown?: string;
}

function pinBroken(route: Route, shown: string): SyncCredsError {
  return new SyncCredsError("HOST_KEY_CHANGED", `the host key of ${titleOf(route)} has changed`, {
    why: `hosts.json knows ${route.pinnedKey}, but its ${shown}: somebody may be listening in, or the host was set up anew; nothing was sent to it`,
    next: [
      "Compare it with what `ssh-keygen -l` prints for the key on the host itself",
      `If they are equal, put it into \`hostKey\` of ${route.label} in hosts.json`,
    ],
  });
}

const LOGIN_MS = 15_000;
const TOUCH_MS = 60_000;

/** One host after the other is contacted and logged in to. */
function patienceOf(legs: readonly Leg[]): number {
  return legs.reduce((sum, { route }) => sum + route.connectTimeoutMs + LOGIN_MS, 0);
}

/** What hosts.json says, and where we are stricter or more patient than the user's ssh_config. */
export function opensshArguments(host: Host, route: Route): string[] {
  const pinned = route.pinnedKey !== undefined;
  const way = guardedWay(route.hops);
  const options = {
    ...(host.identityFile !== undefined && {
      IdentityFile: quote(host.identityFile),
      IdentitiesOnly: "yes",
    }),
    ...(host.knownHosts !== undefined && { UserKnownHostsFile: quote(host.knownHosts) }),
    // Empty files make `ssh` ask, and the answer to its question may be the fingerprint it must find.
    ...(pinned && { UserKnownHostsFile: "/dev/null", GlobalKnownHostsFile: "/dev/null" }),
    // Credentials must not go to whoever answers, whatever is good enough for a shell.
    StrictHostKeyChecking: pinned ? "ask" : route.strict,
    ConnectTimeout: String(Math.ceil(route.connectTimeoutMs / 1000)),
    ServerAliveInterval: String(Math.ceil(route.keepAlive.intervalMs / 1000)),
    ServerAliveCountMax: String(route.keepAlive.count),
    // Not said unless it is needed: older ones do not know the option.
    ...(way !== undefined && { ProxyCommand: way }),
    ...(route.forksAway && { ForkAfterAuthentication: "no" }),
  };
  return [
    ...(host.sshConfig === undefined ? [] : ["-F", host.sshConfig]),
    ...(host.ssh.port === undefined ? [] : ["-p", String(host.ssh.port)]),
    ...(host.ssh.user === undefined ? [] : ["-l", host.ssh.user]),
    ...Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
  ];
}

/** What a question of `ssh` is about. */
export type Subject = "host-key" | "passphrase" | "password" | "other";

/** `ssh` has no codes for its questions; these texts are part of its source and never translated. */
export function subjectOf({ kind, text }: SshQuestion): Subject {
  if (/continue connecting \(yes\/no|type 'yes', 'no' or the fingerprint/.test(text))
    return "host-key";
  if (kind !== "secret") return "other";
  if (text.startsWith("Enter passphrase for ")) return "passphrase";
  return /'s password: ?$|^\(\S+\) Password: ?$/i.test(text) ? "password" : "other";
}

/** Without a person and without a pinned key nothing can be answered: then `ssh` had better not ask. */
function answererFor(
  route: Route,
  ports: Ports,
  pin: Pin,
  notes: ByOpensshOptions["notes"],
): OpensshOptions["answer"] {
  const { human } = ports;
  const { pinnedKey } = route;
  if (human === undefined && pinnedKey === undefined) return undefined;
  const answers = new Answers(ports);
  return async (question) => {
    const text = printable(question.text);
    const subject = subjectOf(question);
    if (question.kind === "notice") {
      notes?.(`${route.label}: ${text}`);
      return undefined;
    }
    if (subject === "host-key" && pinnedKey !== undefined) {
      // The second question names no host: it comes when the key is not the pinned one.
      if (pin.isAsked && text.startsWith("Please type")) {
        pin.shown = pin.lastKey ?? "key";
        return new Secret("no");
      }
      pin.lastKey = /\S+ key fingerprint is \S+?(?=\.?\s|\.?$)/.exec(text)?.[0] ?? "another key";
      pin.isAsked = text.includes(route.hostKeyAlias ?? route.host);
      if (pin.isAsked) return new Secret(pinnedKey);
    }
    if (human === undefined) return undefined;
    if (subject === "host-key") {
      // Quoted, with its address behind it: '[192.0.2.7]:2222 (…)'.
      const hop = route.hops.find((one) => text.includes(`'${nameOnRecord(one)} `));
      const lines = question.text.split("\n").map(printable);
      const isTrusted = await inTurn(ports, () =>
        human.confirm(`Is this the key of ${nameOf(hop ?? route)}?`, lines),
      );
      return new Secret(isTrusted ? "yes" : "no");
    }
    if (question.kind === "confirm") {
      const isAllowed = await inTurn(ports, () => human.confirm(`${route.label}: ${text}`));
      return isAllowed ? new Secret("yes") : undefined;
    }
    const ask = () => inTurn(ports, () => human.password(`${text} (for ${route.label})`));
    return subject === "other" ? await ask() : await answers.get(text, ask);
  };
}

/** How `ssh` speaks of a host in its messages. */
function namesInLog(route: Route): string[] {
  const { user, host, port } = route;
  const known = ` for ${nameOnRecord(route)} `;
  return [`${host} port ${port}`, `${user}@${host}: `, `hostname ${host}: `, known];
}

function nameOnRecord({ host, port, hostKeyAlias }: Route): string {
  return hostKeyAlias ?? (port === 22 ? host : `[${host}]:${port}`);
}

function quote(path: string): string {
  return `"${path.replaceAll("%", "%%")}"`;
}

import type { Ports } from "../ports.ts";
import { oncePerRun } from "../once-per-run.ts";
import { printable } from "../remote/printable.ts";
import type { AgentIdentity } from "../remote/ssh-agent.ts";
import { type Identity, readIdentity, type Skipped } from "./identities.ts";
import { keyTypeOf } from "./key-blob.ts";
import type { Route } from "./route.ts";

/** The keys at hand for one host, before anything is unlocked. */
export interface Keys {
  readonly identities: readonly Identity[];
  readonly agent: AgentAnswer;
}

interface AgentAnswer {
  readonly socket: string;
  readonly identities: readonly AgentIdentity[];
  readonly skipped: readonly Skipped[];
}

/** Reads the identity files and asks the agent for its list; nobody is asked for anything. Never rejects. */
export async function surveyKeys(route: Route, ports: Ports): Promise<Keys> {
  if (!route.methods.includes("publickey")) {
    return { identities: [], agent: { socket: "", identities: [], skipped: [] } };
  }
  const [identities, agent] = await Promise.all([
    Promise.all(route.identityFiles.map((path) => readIdentity(path, ports))),
    questionAgent(route, ports),
  ]);
  return { identities, agent };
}

/** Which of the keys only the system's `ssh` can use: reasons, empty for most people. */
export function keyDemands({ identities, agent }: Keys, route: Route): string[] {
  const offered = agent.identities.filter(
    ({ blob }) =>
      !route.identitiesOnly || identities.some(({ publicKey }) => publicKey?.equals(blob)),
  );
  const inAgent = new Set(offered.map(({ blob }) => blob.toString("base64")));
  return [
    ...identities.flatMap(({ path, problem, publicKey, privateKey, hasCertificate }) => {
      const isInAgent = publicKey !== undefined && inAgent.has(publicKey.toString("base64"));
      if (hasCertificate) return [`the certificate beside ${path}`];
      if (problem?.opensshCan && !isInAgent) return [`${path}: ${problem.why}`];
      const isInKeychain = route.keychainHasPassphrases && privateKey?.isEncrypted && !isInAgent;
      return isInKeychain ? [`UseKeychain for the passphrase of ${path}`] : [];
    }),
    ...offered.flatMap(({ blob, comment }) => {
      const type = keyTypeOf(blob);
      const kind = isSecurityKey(blob) ? "security key" : /-cert-v0\d@/.test(type) && "certificate";
      return kind === false ? [] : [`the ${kind} ${printable(comment)} in the agent`];
    }),
  ];
}

/** Whether somebody may have to touch a device for this host. */
export function needsTouch({ identities, agent }: Keys): boolean {
  const blobs = [...identities.map(({ publicKey }) => publicKey), ...agent.identities.map(blobOf)];
  return blobs.some((blob) => blob !== undefined && isSecurityKey(blob));
}

function blobOf({ blob }: AgentIdentity): Buffer {
  return blob;
}

function isSecurityKey(blob: Buffer): boolean {
  return keyTypeOf(blob).startsWith("sk-");
}

async function questionAgent({ agentSocket }: Route, ports: Ports): Promise<AgentAnswer> {
  if (agentSocket === undefined) return { socket: "", identities: [], skipped: [] };
  return oncePerRun(ports, `agent ${agentSocket}`, async () => {
    try {
      const { listAgentKeys } = await import("../remote/ssh-agent.ts");
      return { socket: agentSocket, identities: await listAgentKeys(agentSocket), skipped: [] };
    } catch (error) {
      const why = error instanceof Error ? printable(error.message) : "it does not answer";
      // Windows has its default agent's name whether or not the service runs.
      const isAbsent = ports.platform === "win32" && /ENOENT/.test(why);
      const skipped = isAbsent ? [] : [{ label: `the agent at ${agentSocket}`, why }];
      return { socket: agentSocket, identities: [], skipped };
    }
  });
}

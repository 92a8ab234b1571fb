/** Options of ssh_config(5), as `ssh -G` prints them, turned into what a connection needs. */
import type { AuthMethod, KeepAlive, SocketOptions } from "../remote/open-session.ts";
import { listOf } from "./demands.ts";
import type { SshConfig } from "./ssh-config.ts";
import { expandPath, type TokenValues } from "./tokens.ts";

/** Where the agent listens; `undefined` when there is none or it may not be used. */
export function agentSocketOf(config: SshConfig, values: TokenValues, platform: NodeJS.Platform) {
  const configured = config.one("identityagent") ?? "SSH_AUTH_SOCK";
  if (configured === "none") return undefined;
  if (configured === "SSH_AUTH_SOCK") {
    const isWindows = platform === "win32";
    return (
      values.env["SSH_AUTH_SOCK"] || (isWindows ? "\\\\.\\pipe\\openssh-ssh-agent" : undefined)
    );
  }
  if (configured.startsWith("$") && !configured.startsWith("${")) {
    return values.env[configured.slice(1)];
  }
  return expandPath(configured, values);
}

/** Ways to log in that the user allows, in their order. */
export function methodsOf(config: SshConfig): AuthMethod[] {
  const mayAsk = !config.isYes("batchmode");
  const allowed = [
    ...(config.isNo("pubkeyauthentication") ? [] : (["publickey"] as const)),
    ...(mayAsk && !config.isNo("kbdinteractiveauthentication")
      ? (["keyboard-interactive"] as const)
      : []),
    ...(mayAsk && !config.isNo("passwordauthentication") ? (["password"] as const) : []),
  ];
  const preferred = listOf(config, "preferredauthentications");
  if (preferred === undefined) return allowed;
  return preferred.flatMap((name) => allowed.find((method) => method === name) ?? []);
}

/** The files that know host keys; `chosen`, of hosts.json, takes the place of the user's own. */
export function knownHostsFilesOf(
  chosen: string | undefined,
  config: SshConfig,
  values: TokenValues,
) {
  const split = (keyword: string, otherwise: string): string[] =>
    (config.one(keyword) ?? otherwise)
      .split(" ")
      .filter((path) => path !== "none" && path !== "")
      .flatMap((path) => expandPath(path, values) ?? []);
  const user =
    chosen === undefined
      ? split("userknownhostsfile", "~/.ssh/known_hosts ~/.ssh/known_hosts2")
      : [expandPath(chosen, values) ?? chosen];
  return { user, global: split("globalknownhostsfile", "/etc/ssh/ssh_known_hosts") };
}

/** What becomes of an unknown host key. Credentials must not go to whoever answers: `no` counts as `ask`. */
export function strictnessOf(value = "ask") {
  if (value === "yes" || value === "true") return { strict: "yes" as const, takesAnyKey: false };
  if (value === "accept-new") return { strict: "accept-new" as const, takesAnyKey: false };
  return { strict: "ask" as const, takesAnyKey: value !== "ask" };
}

/** Tells where we are stricter than ssh_config. */
export function anyKeyNote(label: string): string {
  return `StrictHostKeyChecking no is not followed for ${label}: an unknown host key is asked for`;
}

/** How soon a dead link is noticed: as ssh_config says, else within 15 seconds. */
export function keepAliveOf(config: SshConfig): KeepAlive {
  const count = Number(config.one("serveralivecountmax") ?? 3);
  return { intervalMs: milliseconds(config.one("serveraliveinterval"), 5000), count };
}

/** What the socket must be bound to. */
export function socketOf(config: SshConfig): SocketOptions {
  const family = { inet: 4, inet6: 6 }[config.one("addressfamily") ?? ""];
  const localAddress = config.some("bindaddress");
  return {
    ...((family === 4 || family === 6) && { family }),
    ...(localAddress !== undefined && { localAddress }),
  };
}

/** A duration of ssh_config(5), given in seconds; `none` and 0 mean `otherwise`. */
export function milliseconds(seconds: string | undefined, otherwise: number): number {
  const value = Number(seconds);
  return value > 0 ? value * 1000 : otherwise;
}

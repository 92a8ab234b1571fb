import type { Host } from "../../src/hosts/host.ts";
import type { SshdHost } from "./sshd.ts";

/** A host of hosts.json as the loader gives it; the parts that a test is about are passed in. */
export function hostEntry(different: Partial<Host>): Host {
  return {
    name: "web-1",
    ssh: { host: "web-1.example.com" },
    tags: [],
    groups: [],
    delivery: "access-token",
    means: "file",
    switches: {},
    transport: "auto",
    wrapper: {
      url: "http://127.0.0.1:8000",
      chat: { preset: "chat" },
      timeoutMs: 60_000,
      baselineTimeoutMs: 10_000,
      startTimeoutMs: 30_000,
    },
    restart: { kind: "none" },
    deadlineMs: 120_000,
    stabilityMs: 1000,
    confirmTimeoutMs: 60_000,
    ...different,
  };
}

/** The entry that reaches a real sshd with its own key and known_hosts, without ~/.ssh/config. */
export function hostEntryOf(sshd: SshdHost, different: Partial<Host> = {}): Host {
  return hostEntry({
    ssh: { host: "127.0.0.1", user: sshd.user, port: sshd.port },
    identityFile: sshd.clientKey,
    knownHosts: sshd.knownHosts,
    ...different,
  });
}

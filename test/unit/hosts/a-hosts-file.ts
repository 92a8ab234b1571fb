import { SyncCredsError } from "../../../src/errors.ts";
import { parseHosts, type HostsFile } from "../../../src/hosts/parse.ts";

/** A host that says just enough. */
export const ENOUGH = {
  ssh: "ann@web-1.example.com",
  wrapper: { url: "http://127.0.0.1:8000" },
  restart: { kind: "none" },
};

/** Parses text, or a value as JSON, as the file /etc/sync/hosts.json of the user whose home is /home/ann. */
export function parse(content: unknown): HostsFile {
  return parseHosts(typeof content === "string" ? content : JSON.stringify(content, null, 2), {
    path: "/etc/sync/hosts.json",
    shownAs: "hosts.json",
    toAbsolute: (path) => `/etc/sync/${path}`,
  });
}

/** Parses a file with the one host web-1, which says `settings` besides just enough. */
export function parseHost(settings: object): HostsFile["hosts"][number] {
  return parse({ hosts: { "web-1": { ...ENOUGH, ...settings } } }).hosts[0]!;
}

/** The lines of problems that the content is refused with. */
export function problemsOf(content: unknown): string[] {
  return (failureOf(() => parse(content)).why ?? "").split("\n");
}

/** The `SyncCredsError` that some work throws. */
export function failureOf(work: () => unknown): SyncCredsError {
  try {
    work();
  } catch (error) {
    if (error instanceof SyncCredsError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

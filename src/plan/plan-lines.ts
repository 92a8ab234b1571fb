import type { Host } from "../hosts/host.ts";
import type { HostFile } from "../remote/host-files.ts";
import type { HostLogin } from "./chain-guard.ts";
import type { WantedFile } from "./delivery-files.ts";
import type { Offer } from "./plan.ts";

interface Known {
  readonly host: Host;
  readonly offer: Offer;
  readonly login: HostLogin;
  /** Path of the credentials file. */
  readonly credentials: string;
}

/** One change in one line of the plan: by path and fingerprint, never a content. */
export function renderChange(
  { path, mode, content }: WantedFile,
  seen: HostFile | undefined,
  { host, offer, login, credentials }: Known,
): string {
  const exists = seen !== undefined && seen.kind !== "absent";
  if (path === credentials) {
    if (content === undefined || offer.block === undefined || host.means === "oauth-variable") {
      return `${path}: ${describeLogin(login)} goes, for it could win over the new token`;
    }
    return `${path}: ${describeLogin(login)} → ${offer.fingerprint ?? "?"}`;
  }
  if (content === undefined) return `${path}: removed`;
  if (!exists) return `${path}: written, mode ${mode}`;
  return seen.bytes !== undefined && content.equalsBytes(seen.bytes)
    ? `${path}: mode ${seen.mode} → ${mode}`
    : `${path}: changed`;
}

/** A login on a host in a few words: its fingerprint, or what is there instead of one. */
export function describeLogin(login: HostLogin): string {
  switch (login.state) {
    case "absent":
      return "no file";
    case "corrupt":
      return "no valid file";
    case "no-login":
      return "no login";
    case "blanked":
      return "a blanked login";
    case "login":
      return login.fingerprint ?? "another login";
  }
}

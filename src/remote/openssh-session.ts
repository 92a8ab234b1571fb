import { SyncCredsError } from "../errors.ts";
import type { OpensshOptions } from "./open-session.ts";
import type { Session } from "./session.ts";

/** Placeholder until the real one stands here. */
export function openOpensshSession({ address }: OpensshOptions): Promise<Session> {
  return Promise.reject(new SyncCredsError("SSH_UNSUPPORTED", `${address} needs the system's ssh`));
}

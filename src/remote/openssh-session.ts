import type { ChildProcess } from "node:child_process";
import { dirname, join } from "node:path";
import { SyncCredsError } from "../errors.ts";
import { packageFile } from "../package-root.ts";
import { type AskDesk, openAskDesk } from "./ask-desk.ts";
import type { OpensshOptions } from "./open-session.ts";
import { openForward, startCommand, type OpensshLink } from "./openssh-channels.ts";
import { isThrottledBy, masterLost, opensshFailure } from "./openssh-failures.ts";
import { OpensshMaster } from "./openssh-master.ts";
import type { Session } from "./session.ts";
import { abortReason } from "./ssh-failures.ts";
import { RETRIES, waitForRoom } from "./throttling.ts";
import { TimeLimit } from "../time-limit.ts";

/** After the connection is made and before the first command: a line of `ssh`'s own log. */
const IS_OPEN = /^debug1: Entering interactive session\./;

/**
 * Opens a session through the system's `ssh`, for what only it can do: one process holds the connection, commands and
 * streams go through its control socket. Errors: as `openNodeSshSession`.
 */
export async function openOpensshSession(options: OpensshOptions): Promise<Session> {
  if (options.platform === "win32") throw notOnWindows(options.address);
  for (let attempt = 0; ; attempt++) {
    const folder = await options.files.makePrivateFolder();
    const master = { log: [] as readonly string[] };
    try {
      return await openOnce(options, folder, master);
    } catch (error) {
      await options.files.remove(folder);
      if (attempt === RETRIES || !isThrottledBy(master.log) || options.signal?.aborted) throw error;
      await waitForRoom(attempt);
    }
  }
}

async function openOnce(
  options: OpensshOptions,
  folder: string,
  seen: { log: readonly string[] },
): Promise<Session> {
  const { answer, signal } = options;
  let fail!: (error: unknown) => void;
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);
  const limit = new TimeLimit(() => fail(opensshFailure(["Connection timed out"], options)));
  const stop = (): void => fail(abortReason(signal));
  if (signal?.aborted) throw abortReason(signal);
  signal?.addEventListener("abort", stop, { once: true });

  const ask = async (question: Parameters<NonNullable<typeof answer>>[0]) => {
    limit.hold();
    try {
      return await answer?.(question);
    } finally {
      limit.goOn();
    }
  };
  const desk = answer && (await openAskDesk(join(folder, "ask"), ask, fail));
  const master = new OpensshMaster(
    masterArguments(options, folder),
    environmentOf(options, folder),
  );
  seen.log = master.log;
  limit.start(options.connectTimeoutMs);
  try {
    const opened = master.line(IS_OPEN).catch(() => {
      throw opensshFailure(master.log, options);
    });
    await Promise.race([opened, failed]);
    return sessionThrough(master, desk, folder, options);
  } catch (error) {
    master.stop();
    desk?.close();
    await master.ended;
    throw error;
  } finally {
    limit.end();
    signal?.removeEventListener("abort", stop);
  }
}

function masterArguments({ argv, answer, destination }: OpensshOptions, folder: string): string[] {
  const options = [
    "LogLevel=DEBUG1",
    "ControlPersist=no",
    "ClearAllForwardings=yes",
    "RemoteCommand=none",
    "PermitLocalCommand=no",
    "RequestTTY=no",
    "Tunnel=no",
    ...(answer === undefined ? ["BatchMode=yes"] : []),
  ];
  return [
    "-NMTax",
    `-S${join(folder, "master")}`,
    ...options.flatMap((option) => ["-o", option]),
    ...argv,
    "--",
    destination,
  ];
}

function environmentOf({ env, answer }: OpensshOptions, folder: string): OpensshOptions["env"] {
  if (answer === undefined) return env;
  return {
    ...env,
    // The program that asks is started through `env node`.
    PATH: `${env["PATH"] ?? "/usr/bin:/bin"}:${dirname(process.execPath)}`,
    DISPLAY: env["DISPLAY"] || "none",
    SSH_ASKPASS: packageFile("dist", "askpass.js"),
    SSH_ASKPASS_REQUIRE: "force",
    SYNC_CREDS_ASK: join(folder, "ask"),
  };
}

function sessionThrough(
  master: OpensshMaster,
  desk: AskDesk | undefined,
  folder: string,
  { address, files, env }: OpensshOptions,
): Session {
  const clients = new Set<ChildProcess>();
  const lost = master.ended.then(async (): Promise<never> => {
    desk?.close();
    await files.remove(folder);
    throw masterLost(master.log, address);
  });
  lost.catch(() => undefined);
  const link: OpensshLink = { master, address, lost, folder, clients, env };
  return {
    address,
    lost,
    exec: (command) => startCommand(link, command),
    openStream: (host, port) => openForward(link, host, port),
    close: () => {
      for (const client of clients) client.kill();
      master.stop();
    },
  };
}

function notOnWindows(address: string): SyncCredsError {
  return new SyncCredsError("SSH_UNSUPPORTED", `${address} needs the system's \`ssh\``, {
    why: "on Windows it cannot share one connection among commands; the host was not contacted",
    next: ["Run sync-creds inside WSL, or reach the host with a plain key"],
  });
}

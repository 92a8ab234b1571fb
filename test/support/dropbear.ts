import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isProgram } from "./programs.ts";
import { addAccount, canChooseShell, freePort, generateKey, readHostKey } from "./sshd.ts";
import type { SshdHost } from "./sshd.ts";

const DROPBEAR = ["/usr/sbin/dropbear", "/sbin/dropbear"].find(isProgram);

/** Whether dropbear can run here with an account of its own. Without it tests skip, loudly; in CI they fail. */
export const hasDropbear: boolean = (DROPBEAR !== undefined && canChooseShell) || missing();

/** Starts the other SSH server that small hosts have; `await using` ends it. */
export async function startDropbear(): Promise<SshdHost> {
  const directory = mkdtempSync(join(tmpdir(), "sync-creds-dropbear-"));
  chmodSync(directory, 0o711);
  const home = join(directory, "home");
  mkdirSync(join(home, ".ssh"), { recursive: true, mode: 0o700 });
  const account = addAccount(home, "/bin/sh");

  const clientKey = join(directory, "client_key");
  generateKey(clientKey, "ed25519");
  const authorized = join(home, ".ssh", "authorized_keys");
  writeFileSync(authorized, readFileSync(`${clientKey}.pub`), { mode: 0o600 });
  for (const path of [join(home, ".ssh"), authorized]) chownSync(path, account.uid, account.gid);
  const hostKeyFile = join(directory, "host_ed25519");
  const made = execFileSync("dropbearkey", ["-t", "ed25519", "-f", hostKeyFile], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  writeFileSync(`${hostKeyFile}.pub`, /^ssh-ed25519 .*$/m.exec(made)?.[0] ?? "");
  const hostKeys = [readHostKey(`${hostKeyFile}.pub`)];

  const port = await freePort();
  const logFile = join(directory, "dropbear.log");
  const server = spawn(
    DROPBEAR ?? "dropbear",
    ["-F", "-E", "-p", `127.0.0.1:${port}`, "-r", hostKeyFile, "-P", join(directory, "pid")],
    { stdio: ["ignore", "ignore", openSync(logFile, "w")] },
  );
  while (!(await accepts(port)) && server.exitCode === null) await sleep(10);

  const knownHosts = join(directory, "known_hosts");
  const knownHostsText = (name: string): string =>
    hostKeys.map(({ type, blob }) => `${name} ${type} ${blob.toString("base64")}\n`).join("");
  writeFileSync(knownHosts, knownHostsText(`[127.0.0.1]:${port}`));
  const { name: user, uid, gid } = account;
  return {
    port,
    user,
    uid,
    gid,
    directory,
    home,
    clientKey,
    hostKeys,
    knownHosts,
    sshConfig: join(directory, "none"),
    etc: "/etc",
    inside: [],
    knownHostsText,
    log: () => readFileSync(logFile, "utf8"),
    reload: () => Promise.resolve(),
    dropConnections: () => undefined,
    [Symbol.asyncDispose]: async () => {
      const gone = new Promise((resolve) => server.once("exit", resolve));
      if (server.kill()) await gone;
      account[Symbol.dispose]();
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => resolve(false));
  });
}

function missing(): false {
  if (process.env["CI"]) throw new Error("dropbear is not installed, and CI may not do without");
  console.warn("\n*** SKIPPED: dropbear (or root) is missing; tests against it do not run ***\n");
  return false;
}

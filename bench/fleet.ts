import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { get } from "node:http";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { packageFile } from "../src/package-root.ts";
import { endProcesses, processesNaming } from "../test/support/processes.ts";
import { isProgram } from "../test/support/programs.ts";
import { generateKey } from "../test/support/sshd.ts";

/** A host: an address of loopback, a home, a wrapper that runs there. */
export interface FleetHost {
  readonly name: string;
  readonly address: string;
  readonly home: string;
  readonly wrapperPort: number;
  /** What its sshd's port is above the fleet's: nothing, unless many homes share a few servers. */
  readonly portOffset: number;
}

/** N hosts of this machine, each with its own address, home and wrapper. Disposing ends all that runs there. */
export interface Fleet extends Disposable {
  /** Everything of the fleet lives in here and goes with it. */
  readonly directory: string;
  readonly hosts: readonly FleetHost[];
  readonly user: string;
  /** The port of all its sshds; see `FleetHost.portOffset`. */
  readonly port: number;
  /** The private key that may log in everywhere. */
  readonly clientKey: string;
  /** The lines of known_hosts for the first `count` hosts as they are reached on `port`. */
  knownHosts(count: number, port: number): string;
  /** Rejects unless the wrapper of each of the first `count` hosts works with this token, from a file of mode 0600. */
  verify(accessToken: string, count: number): Promise<void>;
}

const SSHD = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"].find(isProgram);
// What is no TypeScript stays in the project, wherever this has been compiled to.
const HOST_FILES = packageFile("bench", "host");
const STARTUP_MS = 50;
const open = new Set<Disposable>();
// Another process of this machine may have fleets too: each begins in a range of its own.
const place = process.pid % 120;
let nextPort = 10_000 + place * 100;

/**
 * In memory, where programs may run there: an ext4 without a journal looks, at each file that is made, through all that were
 * deleted in the last minutes. Round after round that is more of them, as on no server between two pushes.
 */
function placeOfHomes(): string {
  const probe = join(MEMORY, `scb-${process.pid}`);
  try {
    writeFileSync(probe, "#!/bin/sh\n", { mode: 0o700 });
    execFileSync(probe);
    return MEMORY;
  } catch {
    return tmpdir();
  } finally {
    rmSync(probe, { force: true });
  }
}
const MEMORY = "/dev/shm";

/** Starts `count` hosts behind `sshds` servers; one each unless told. Needs Linux, OpenSSH's sshd and perl. */
export async function openFleet(count: number, sshds = count): Promise<Fleet> {
  if (process.platform !== "linux" || SSHD === undefined || !isProgram("/usr/bin/perl")) {
    throw new Error("the hosts of the bench need Linux, OpenSSH's sshd and perl");
  }
  // Short: the control sockets of ssh lie in here too.
  const directory = mkdtempSync(join(placeOfHomes(), "scb-"));
  const fleetNumber = 10 + place + open.size;
  const servers: ChildProcess[] = [];
  const fleetEnds: Disposable = {
    [Symbol.dispose]() {
      open.delete(fleetEnds);
      servers.forEach((server) => server.kill("SIGKILL"));
      endProcesses(() => processesNaming(directory));
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  open.add(fleetEnds);

  // A sshd opens 16 sockets at most. With more homes it listens on one for all addresses, and so on a port of its own.
  const isCrowd = count > 16 * sshds;
  const port = await freePort();
  const ports = isCrowd ? sshds : 1;
  const offsets = [0];
  while (offsets.length < ports) offsets.push((await freePort()) - port);
  const clientKey = join(directory, "client_key");
  generateKey(clientKey, "ed25519");
  copyFileSync(join(HOST_FILES, "wrapper.pl"), join(directory, "wrapper.pl"));
  const hosts: FleetHost[] = [];
  for (let i = 0; i < count; i++) {
    const address = `127.${fleetNumber}.${Math.floor(i / 250)}.${(i % 250) + 1}`;
    const name = `h${i + 1}`;
    const portOffset = offsets[i % sshds] ?? 0;
    const home = join(directory, name);
    const host = { name, address, portOffset, home, wrapperPort: await freePort() };
    makeHome(host, directory);
    hosts.push(host);
  }
  const hostKeys = Array.from({ length: sshds }, (_, i) => join(directory, `host_key_${i}`));
  hostKeys.forEach((file) => generateKey(file, "ed25519"));
  // sshd insists on its (empty) privilege separation folder, which a container may lack.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
  // Neighbours in the list are on different servers.
  for (const [i, hostKey] of hostKeys.entries()) {
    const served = hosts.filter((_, at) => at % sshds === i);
    const file = join(directory, `sshd_config_${i}`);
    writeFileSync(file, renderSshdConfig(directory, i, hostKey, port, served, isCrowd));
    const log = openSync(join(directory, `sshd_${i}.log`), "w");
    servers.push(spawn(SSHD, ["-D", "-e", "-f", file], { stdio: ["ignore", log, log] }));
  }
  try {
    for (const { address, portOffset } of hosts)
      await until(() => isListening(address, port + portOffset), `sshd ${address}`);
    for (const host of hosts) await until(() => accessTokenOf(host), `the wrapper of ${host.name}`);
  } catch (error) {
    fleetEnds[Symbol.dispose]();
    throw error;
  }

  const publicKeys = hostKeys.map((file) => readFileSync(`${file}.pub`, "utf8"));
  return {
    directory,
    hosts,
    user: userInfo().username,
    port,
    clientKey,
    knownHosts: (some, onPort) =>
      hosts
        .slice(0, some)
        .map(
          ({ address, portOffset }, i) =>
            `[${address}]:${onPort + portOffset} ${publicKeys[i % sshds]}`,
        )
        .join(""),
    async verify(accessToken, some) {
      for (const host of hosts.slice(0, some)) {
        const { home, name } = host;
        const running = await accessTokenOf(host);
        if (running !== accessToken) throw new Error(`${name} works with ${running}`);
        const mode = statSync(join(home, ".claude", ".credentials.json")).mode & 0o777;
        if (mode !== 0o600) throw new Error(`${name}: its login has mode ${mode.toString(8)}`);
      }
    },
    [Symbol.dispose]: () => fleetEnds[Symbol.dispose](),
  };
}

/** Ends every fleet, for whoever interrupts the bench. */
export function endFleets(): void {
  for (const fleet of open) fleet[Symbol.dispose]();
}

function makeHome({ home, wrapperPort }: FleetHost, directory: string): void {
  const wrapper = join(home, "wrapper");
  mkdirSync(wrapper, { recursive: true });
  mkdirSync(join(home, ".claude"), { mode: 0o700 });
  const login = { accessToken: "sk-ant-oat01-CANARYgood-host", scopes: ["user:inference"] };
  const file = join(home, ".claude", ".credentials.json");
  writeFileSync(file, JSON.stringify({ claudeAiOauth: login }), { mode: 0o600 });
  copyFileSync(join(HOST_FILES, "restart.sh"), join(wrapper, "restart.sh"));
  writeFileSync(join(wrapper, "port"), `${wrapperPort}\n`);
  const start = `exec perl ${join(directory, "wrapper.pl")} ${wrapperPort} ${STARTUP_MS}`;
  writeFileSync(join(wrapper, "start.sh"), `#!/bin/sh\n${start}\n`, { mode: 0o755 });
  const env = { HOME: home, PATH: process.env["PATH"] };
  execFileSync(join(wrapper, "restart.sh"), { env, stdio: "ignore" });
}

function renderSshdConfig(
  directory: string,
  number: number,
  hostKey: string,
  port: number,
  hosts: readonly FleetHost[],
  isCrowd: boolean,
): string {
  const lines = [
    `Port ${port + (hosts[0]?.portOffset ?? 0)}`,
    ...(isCrowd
      ? ["ListenAddress 0.0.0.0"]
      : hosts.map(({ address }) => `ListenAddress ${address}`)),
    `HostKey ${hostKey}`,
    `PidFile ${join(directory, `sshd_${number}.pid`)}`,
    `AuthorizedKeysFile ${join(directory, "client_key.pub")}`,
    // Where SFTP starts is said once for a server.
    `Subsystem sftp internal-sftp -d ${hosts[0]?.home}`,
    "UsePAM no",
    "StrictModes no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PrintMotd no",
    "LogLevel ERROR",
    ...hosts.flatMap(({ address, home }) => [
      `Match LocalAddress ${address}`,
      `  SetEnv HOME=${home}`,
    ]),
  ];
  return `${lines.join("\n")}\n`;
}

/** The access token that a host's wrapper works with; undefined while it does not answer. */
function accessTokenOf({ wrapperPort }: FleetHost): Promise<string | undefined> {
  return new Promise((resolve) => {
    const url = `http://127.0.0.1:${wrapperPort}/health`;
    const request = get(url, { agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        resolve((JSON.parse(text) as { accessToken: string }).accessToken);
      });
    });
    request.on("error", () => resolve(undefined));
  });
}

function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port }, () => (socket.destroy(), resolve(true)));
    socket.on("error", () => resolve(false));
  });
}

/** Below the range that the system gives to clients: nobody takes it while a wrapper is restarted. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = nextPort++;
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

async function until(holds: () => Promise<unknown>, what: string): Promise<void> {
  for (let left = 1000; left > 0; left--) {
    if (await holds()) return;
    await sleep(10);
  }
  throw new Error(`${what} does not come up`);
}

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Fleet } from "./fleet.ts";
import type { Command } from "./measure.ts";

// Compiled to build/measured/bench: it is three folders up.
/** The project's folder. */
export const project = fileURLToPath(new URL("../../..", import.meta.url));

/** The command line of the project. */
export const bin = join(project, "bin", "sync-creds.js");

// An inherited NODE_EXTRA_CA_CERTS costs every start of Node 20 some 45 ms.
/** What every command of the bench finds in its environment. */
export const bareEnv = { PATH: process.env["PATH"], HOME: process.env["HOME"] };

/** The first `count` hosts of a fleet, as they are reached on `port`. */
export interface Lane {
  readonly fleet: Fleet;
  readonly count: number;
  readonly port: number;
}

let runs = 0;

/** `sync-creds push` to all hosts of the lane. */
export function ours(lane: Lane, ...options: string[]): Command {
  const laptop = makeFolder(lane, "laptop");
  const { fleet } = lane;
  const knownHosts = join(laptop, "known_hosts");
  writeFileSync(knownHosts, fleet.knownHosts(lane.count, lane.port));
  const wrapper = { chat: { preset: "chat" }, health: { path: "/health" } };
  const restart = { kind: "process", directory: "~/wrapper", command: "exec ./start.sh" };
  const hosts = hostsOf(lane).map(({ name, address, portOffset, wrapperPort }) => {
    const url = `http://127.0.0.1:${wrapperPort}`;
    const ssh = `${fleet.user}@${address}:${lane.port + portOffset}`;
    return [name, { ssh, wrapper: { url } }] as const;
  });
  const document = {
    defaults: { identityFile: fleet.clientKey, knownHosts, stabilityMs: 0, restart, wrapper },
    groups: { fleet: { hosts: hosts.map(([name]) => name) } },
    hosts: Object.fromEntries(hosts),
  };
  writeFileSync(join(laptop, "hosts.json"), JSON.stringify(document), { mode: 0o600 });
  return {
    name: "sync-creds push",
    argv: [process.execPath, bin, "push", "fleet", ...options],
    cwd: laptop,
    env: { ...bareEnv, HOME: laptop, XDG_STATE_HOME: join(laptop, "state") },
    ...newLoginEachTime(lane, ({ login }) => {
      mkdirSync(join(laptop, ".claude"), { recursive: true, mode: 0o700 });
      writeFileSync(join(laptop, ".claude", ".credentials.json"), login, { mode: 0o600 });
    }),
  };
}

/** One script through one OpenSSH connection for each host, `parallel` at a time. */
export function openssh(lane: Lane, parallel: number): Command {
  const folder = makeFolder(lane, `ssh-${parallel}`);
  const config = writeSshConfig(lane, folder);
  const script = join(folder, "push.sh");
  const one = `ssh -F ${config} {} "sh -s" <${script}`;
  const many = ["xargs", "-P", String(parallel), "-I{}", "sh", "-c", one] as const;
  return {
    name: lane.count === 1 ? "ssh host 'sh -s' < script" : `ssh, ${parallel} in parallel`,
    argv: lane.count === 1 ? ["sh", "-c", one.replace("{}", namesOf(lane).join())] : [...many],
    env: bareEnv,
    input: namesOf(lane).join("\n"),
    ...newScriptEachTime(lane, script),
  };
}

/** The same script through ssh2, all hosts at once: the least that a client on Node can spend on it. */
export function ssh2(lane: Lane): Command {
  const { fleet, port } = lane;
  const script = join(makeFolder(lane, "ssh2"), "push.sh");
  const program = join(project, "bench", "peers", "ssh2-push.cjs");
  const addresses = hostsOf(lane).map(({ address }) => address);
  const words = [program, script, fleet.clientKey, fleet.user, String(port), ...addresses];
  return {
    name: "the script through ssh2",
    argv: [process.execPath, ...words],
    env: bareEnv,
    ...newScriptEachTime(lane, script),
  };
}

/** An Ansible playbook, 50 forks, pipelining, no connection left over from an earlier run. */
export function ansible(lane: Lane): Command {
  const folder = makeFolder(lane, "ansible");
  const config = writeSshConfig(lane, folder);
  const sockets = join(folder, "cp");
  const inventory = join(folder, "inventory");
  const lines = hostsOf(lane).map(
    ({ name, home, wrapperPort }) => `${name} home=${home} wrapper_port=${wrapperPort}\n`,
  );
  writeFileSync(inventory, lines.join(""));
  const login = join(folder, "login.json");
  const variables = join(folder, "variables.json");
  const job = newLoginEachTime(lane, ({ login: text, word }) => {
    writeFileSync(login, text, { mode: 0o600 });
    writeFileSync(variables, JSON.stringify({ login, word }));
    if (!existsSync(sockets)) return;
    for (const socket of readdirSync(sockets)) {
      spawnSync("ssh", ["-o", `ControlPath=${join(sockets, socket)}`, "-O", "exit", "host"]);
    }
  });
  return {
    name: "Ansible, forks 50, pipelining",
    argv: [
      "/usr/bin/ansible-playbook",
      "-i",
      inventory,
      "-e",
      `@${variables}`,
      join(project, "bench", "peers", "playbook.yml"),
    ],
    env: {
      ...bareEnv,
      ANSIBLE_FORKS: "50",
      ANSIBLE_PIPELINING: "True",
      ANSIBLE_HOME: folder,
      ANSIBLE_LOCAL_TEMP: join(folder, "tmp"),
      ANSIBLE_SSH_CONTROL_PATH_DIR: sockets,
      ANSIBLE_SSH_ARGS: `-F ${config} -o ControlMaster=auto -o ControlPersist=60s`,
      ANSIBLE_PYTHON_INTERPRETER: "/usr/bin/python3",
      ANSIBLE_NOCOLOR: "1",
      ANSIBLE_DEPRECATION_WARNINGS: "False",
    },
    ...job,
  };
}

/** Fabric's ThreadingGroup: a thread for each host, SFTP for the file, one command for the rest. */
export function fabric(lane: Lane): Command {
  const folder = makeFolder(lane, "fabric");
  const config = writeSshConfig(lane, folder);
  const login = join(folder, "login.json");
  const word = join(folder, "word");
  const program = join(project, "bench", "peers", "fabric-push.py");
  return {
    name: "Fabric ThreadingGroup",
    argv: ["/usr/bin/python3", program, config, login, word, ...namesOf(lane)],
    env: bareEnv,
    ...newLoginEachTime(lane, (fresh) => {
      writeFileSync(login, fresh.login, { mode: 0o600 });
      writeFileSync(word, fresh.word);
    }),
  };
}

interface FreshLogin {
  readonly login: string;
  /** Whoever does the job asks the wrapper for this word. */
  readonly word: string;
}

/** The bare script of a push, with a new login in it. */
function newScriptEachTime(lane: Lane, script: string) {
  return newLoginEachTime(lane, ({ login, word }) => {
    const text = readFileSync(join(project, "bench", "peers", "push.sh"), "utf8");
    const filled = text.replace("@LOGIN@", login).replaceAll("@WORD@", word);
    writeFileSync(script, filled, { mode: 0o600 });
  });
}

/** A login of about 1 KB that no host has yet; afterwards every host must work with it. */
function newLoginEachTime(lane: Lane, put: (fresh: FreshLogin) => void) {
  let accessToken = "";
  return {
    prepare: () => {
      const word = `bench${++runs}`;
      accessToken = `sk-ant-oat01-CANARYgood-${word}-${"x".repeat(360)}`;
      const login = {
        accessToken,
        refreshToken: `sk-ant-ort01-CANARYrefresh-${word}-${"x".repeat(360)}`,
        expiresAt: Date.now() + 7 * 3600_000,
        scopes: ["user:inference", "user:profile"],
        subscriptionType: "max",
        rateLimitTier: "default_claude_max_20x",
      };
      put({ login: JSON.stringify({ claudeAiOauth: login }), word });
    },
    verify: () => lane.fleet.verify(accessToken, lane.count),
  };
}

function hostsOf({ fleet, count }: Lane) {
  return fleet.hosts.slice(0, count);
}

function namesOf(lane: Lane): string[] {
  return hostsOf(lane).map(({ name }) => name);
}

function makeFolder({ fleet, count, port }: Lane, name: string): string {
  const folder = join(fleet.directory, `${name}-${count}-${port}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

function writeSshConfig(lane: Lane, folder: string): string {
  const { fleet, port, count } = lane;
  const knownHosts = join(folder, "known_hosts");
  writeFileSync(knownHosts, fleet.knownHosts(count, port));
  const hosts = hostsOf(lane).map(({ name, address }) => `Host ${name}\n  HostName ${address}\n`);
  const common = [
    "Host *",
    `  Port ${port}`,
    `  User ${fleet.user}`,
    `  IdentityFile ${fleet.clientKey}`,
    "  IdentitiesOnly yes",
    `  UserKnownHostsFile ${knownHosts}`,
    "  GlobalKnownHostsFile none",
    "  StrictHostKeyChecking yes",
    "  BatchMode yes",
    "  LogLevel ERROR",
    "",
  ];
  const file = join(folder, "ssh_config");
  writeFileSync(file, hosts.join("") + common.join("\n"));
  return file;
}

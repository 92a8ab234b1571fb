import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { installDocker } from "./docker.ts";
import { endProcesses, processesNaming } from "./processes.ts";
import { findProgram } from "./programs.ts";
import type { SshdOptions } from "./sshd.ts";
import { openStage } from "./stage.ts";
import type { Stage, StageOptions } from "./stage.ts";
import { installStandIn } from "./stand-in.ts";
import { installSystemd } from "./systemd.ts";
import { until } from "./until.ts";

type Variables = Readonly<Record<string, string>>;

/** The wrapper as a supervisor has to know it. */
export interface Program {
  /** The host's home; whatever a supervisor keeps lies in it. */
  readonly home: string;
  readonly directory: string;
  /** A shell script that ends by becoming the wrapper. */
  readonly script: string;
  readonly port: number;
  /** The account of the host. */
  readonly user: string;
  /** What it is started with, PATH and HOME among it. */
  readonly variables: Variables;
}

/** A supervisor that a host may have: one for one test. */
export interface Supervisor extends Disposable {
  /** What the host's sshd must give to a login, for the supervisor to be found. */
  readonly sshd: Pick<SshdOptions, "path" | "environment">;
  /** Makes the wrapper known and starts it; `restart` of hosts.json. */
  take(program: Program): Promise<Record<string, unknown>> | Record<string, unknown>;
  /** Stops the wrapper, which stays known. */
  stop(): void;
}

/** The same, and what `hosts.json` says of one that is not there. */
export interface Kind {
  readonly open: () => Supervisor;
  readonly misnamed: Record<string, unknown>;
  /** Its log is to be found, so that last words can be shown. */
  readonly hasLog: boolean;
}

const PM2 = findPm2();
const SUPERVISORD = findProgram("supervisord");
const MANAGER = findManager();

/** The supervisors that this machine has or has a stand-in for. */
export const SUPERVISORS: Readonly<Record<string, Kind>> = {
  systemd: { open: standInSystemd, misnamed: { unit: "wraper" }, hasLog: true },
  docker: { open: () => docker("docker"), misnamed: { container: "wraper" }, hasLog: true },
  "docker-compose": {
    open: () => docker("docker-compose"),
    misnamed: { service: "wraper" },
    hasLog: true,
  },
  launchd: { open: launchd, misnamed: { label: "com.example.wraper" }, hasLog: true },
  ...(SUPERVISORD !== undefined && {
    supervisor: { open: supervisord, misnamed: { program: "wraper" }, hasLog: true },
  }),
  ...(PM2 !== undefined && {
    pm2: { open: () => pm2([]), misnamed: { name: "claude" }, hasLog: true },
  }),
  ...(MANAGER !== undefined && {
    // Its journal is not kept on a machine whose own systemd does not run.
    "systemd --user": { open: userSystemd, misnamed: { unit: "wraper" }, hasLog: false },
  }),
};

/** A program of supervisord, Debian's package, with a socket and a configuration of its own. */
function supervisord(): Supervisor {
  let config = "";
  const control = (...words: string[]) => execFileSync("supervisorctl", ["-c", config, ...words]);
  return {
    sshd: {},
    async take({ home, directory, script, variables }) {
      const folder = join(home, "supervisor");
      config = join(folder, "supervisord.conf");
      mkdirSync(folder);
      const pairs = Object.entries(variables).map(([name, value]) => `${name}="${value}"`);
      const text = `
[unix_http_server]
file=${folder}/sock
[supervisord]
logfile=${folder}/log
pidfile=${folder}/pid
childlogdir=${folder}
nodaemon=true
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://${folder}/sock
[program:claude_wrapper]
command=/bin/sh ${script}
directory=${directory}
environment=${pairs.join(",")}
startretries=0
`;
      writeFileSync(config, text, { mode: 0o600 });
      spawn(SUPERVISORD ?? "", ["-c", config], { detached: true, stdio: "ignore" }).unref();
      await until("supervisord listens", () => existsSync(join(folder, "sock")));
      return {
        kind: "supervisor",
        program: "claude_wrapper",
        config: "~/supervisor/supervisord.conf",
      };
    },
    stop: () => void control("stop", "claude_wrapper"),
    [Symbol.dispose]: () => endProcesses(() => processesNaming(config)),
  };
}

/**
 * An app of pm2, npm's package, with a daemon of its own. What a login finds in its PATH is not pm2: it stands in that of
 * the daemon only. `argv` further arguments of `pm2 start`.
 */
export function pm2(argv: readonly string[], startsScript = true): Supervisor {
  let home = "";
  let env: NodeJS.ProcessEnv = {};
  const control = (...words: readonly string[]) =>
    execFileSync(PM2 ?? "", words, { env, stdio: "pipe", cwd: home });
  return {
    sshd: {},
    take({ home: itsHome, directory, script, port, variables }) {
      home = itsHome;
      const path = [variables["PATH"], dirname(PM2 ?? "")].join(delimiter);
      env = { ...variables, PATH: path };
      // A daemon that is there before the app, as on every host: its own environment is not the app's.
      execFileSync(PM2 ?? "", ["ping"], { env: { HOME: home, PATH: path }, stdio: "pipe" });
      const program = startsScript ? script : join(directory, "wrapper.mjs");
      const more = startsScript ? [] : ["--", "--port", String(port)];
      control("start", program, "--name", "claude_api", "--cwd", directory, ...argv, ...more);
      return { kind: "pm2", name: "claude_api" };
    },
    stop: () => void control("stop", "claude_api"),
    [Symbol.dispose]() {
      if (home !== "") control("kill");
    },
  };
}

function docker(kind: "docker" | "docker-compose"): Supervisor {
  const engine = installDocker();
  let cwd = "/";
  return {
    sshd: { path: [engine.folder] },
    take({ home, directory, script, variables }) {
      cwd = join(home, "compose");
      mkdirSync(cwd);
      const service = {
        image: "wrapper",
        container_name: "claude-wrapper",
        command: ["sh", script],
        working_dir: directory,
        environment: variables,
      };
      // Of two dollar signs compose makes one.
      const text = JSON.stringify({ services: { api: service } }).replaceAll("$", "$$$$");
      writeFileSync(join(cwd, "compose.yaml"), text);
      engine.call(["compose", "up", "-d"], cwd);
      return kind === "docker"
        ? { kind, container: "claude-wrapper" }
        : { kind, directory: "~/compose", service: "api" };
    },
    stop: () => void engine.call(["stop", "claude-wrapper"], cwd),
    [Symbol.dispose]: () => engine[Symbol.dispose](),
  };
}

/** With root's units where they belong, as long as the test is root itself: only there a drop-in of ours is found. */
function standInSystemd(): Supervisor {
  const isRoot = process.getuid?.() === 0;
  const systemd = installSystemd(isRoot ? "/" : undefined);
  const unit = `sync-creds-test-${basename(systemd.folder)}`;
  let file = "";
  return {
    sshd: { path: [systemd.folder] },
    take({ directory, script, variables, user }) {
      const text = renderUnit(directory, script, variables, [`User=${user}`]);
      file = systemd.write(`${unit}.service`, text);
      systemd.control(["start", unit]);
      return { kind: "systemd", unit };
    },
    stop: () => void systemd.control(["stop", unit]),
    [Symbol.dispose]() {
      systemd[Symbol.dispose]();
      if (file === "") return;
      rmSync(file, { force: true });
      rmSync(`${file}.d`, { recursive: true, force: true });
    },
  };
}

/** A real systemd of the account, started apart from the machine's own, which may be none. */
function userSystemd(): Supervisor {
  const runtime = mkdtempSync(join(tmpdir(), "sync-creds-xdg-"));
  const environment = { XDG_RUNTIME_DIR: runtime };
  // Managers that run at the same time share a control group: one would end the processes of another's unit of that name.
  const unit = basename(runtime);
  let env: NodeJS.ProcessEnv = {};
  const control = (...words: string[]) =>
    execFileSync("systemctl", ["--user", ...words], { env, stdio: "pipe" });
  return {
    sshd: { environment },
    async take({ home, directory, script, variables }) {
      const file = join(home, ".config/systemd/user", `${unit}.service`);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, renderUnit(directory, script, variables));
      env = { HOME: home, PATH: process.env["PATH"], ...environment };
      const line = `mkdir -p /run/systemd && mount -t tmpfs tmpfs /run/systemd && mkdir /run/systemd/system && exec ${MANAGER} --user`;
      const argv = ["--mount", "--propagation", "private", "/bin/sh", "-c", line];
      spawn("unshare", argv, { env, stdio: "ignore", detached: true }).unref();
      await until("systemd serves", () => existsSync(join(runtime, "systemd/private")));
      control("start", unit);
      return { kind: "systemd", unit, scope: "user" };
    },
    stop: () => void control("stop", unit),
    [Symbol.dispose]() {
      if (env["HOME"] !== undefined) control("exit");
      rmSync(runtime, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function launchd(): Supervisor {
  const { folder, end } = installStandIn("fake-launchctl.mjs", ["launchctl"]);
  const program = join(folder, "launchctl");
  const label = "com.example.wrapper";
  // No graphical session: the job lives in the domain of the user alone.
  const uid = process.getuid?.() ?? 0;
  const job = `user/${uid}/${label}`;
  const file = join(folder, `user.${uid}-${label}`);
  return {
    sshd: { path: [folder] },
    take({ directory, script, variables }) {
      const [out, err] = [join(directory, "out.log"), join(directory, "err.log")];
      const description = { argv: ["/bin/sh", script], env: variables, out, err };
      writeFileSync(`${file}.json`, JSON.stringify(description));
      execFileSync(program, ["kickstart", job]);
      return { kind: "launchd", label };
    },
    stop: () => void execFileSync(program, ["kill", "SIGKILL", job]),
    [Symbol.dispose]: () =>
      end(existsSync(`${file}.pid`) ? [Number(readFileSync(`${file}.pid`))] : []),
  };
}

function renderUnit(
  directory: string,
  script: string,
  variables: Variables,
  more: readonly string[] = [],
): string {
  const pairs = Object.entries(variables).map(
    ([name, value]) => `"${name}=${value.replace(/["\\]/g, "\\$&").replaceAll("%", "%%")}"`,
  );
  return [
    "[Service]",
    `Environment=${pairs.join(" ")}`,
    `WorkingDirectory=${directory}`,
    `ExecStart=/bin/sh ${script}`,
    ...more,
    "",
  ].join("\n");
}

/** npm's pm2 is no dependency: it is large. `.ci/run` puts it where builds go. */
function findPm2(): string | undefined {
  return findProgram("pm2", [join(import.meta.dirname, "../../build/pm2/node_modules/.bin")]);
}

/** A systemd that can be started here: that needs root, and a namespace in which the machine runs one. */
function findManager(): string | undefined {
  const program = findProgram("systemd", ["/usr/lib/systemd"]);
  const isRoot = process.getuid?.() === 0;
  return isRoot && findProgram("unshare") !== undefined ? program : undefined;
}

/** The variables of a running process; none when it has ended meanwhile. */
export function environmentOf(pid: number | undefined): Record<string, string> {
  let text = "";
  try {
    text = readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    // Whoever waits for it looks again.
  }
  const pairs = text.split("\0").filter(Boolean);
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
  );
}

/** No supervisor: a process that sync-creds itself stops and starts. */
export function ownProcess(): Supervisor {
  let directory = "";
  return {
    sshd: {},
    take({ directory: its, script, variables }) {
      directory = its;
      spawn("/bin/sh", [script], {
        cwd: its,
        env: variables,
        detached: true,
        stdio: "ignore",
      }).unref();
      return { kind: "process", directory: "~/wrapper", command: `exec /bin/sh ${script}` };
    },
    stop: () => endProcesses(() => processesNaming(join(directory, "wrapper.mjs"))),
    [Symbol.dispose]: () => {},
  };
}

/** A stage whose wrapper runs under a supervisor, and answers. */
export interface Supervised extends AsyncDisposable {
  readonly stage: Stage;
  readonly supervisor: Supervisor;
  /** `restart` of hosts.json. */
  readonly restart: Record<string, unknown>;
  /** From now on the wrapper ends at once, with some last words, when the laptop's login is on the host. */
  refuseNewLogin(): void;
}

/** Opens a stage for a supervisor. `variables` are what the wrapper is started with besides PATH and HOME. */
export async function openSupervised(
  supervisor: Supervisor,
  { variables = {}, host = {}, sshd, ...options }: StageOptions & { variables?: Variables } = {},
): Promise<Supervised> {
  const stage = await openStage({ ...options, host, sshd: { ...supervisor.sshd, ...sshd } });
  const { home } = stage.sshd;
  const script = join(stage.directory, "start.sh");
  const line = `cd ${stage.directory}
if [ -e env ]; then set -a; . ./env; set +a; fi
if [ -e refusing ] && grep -q CANARYgood-laptop "$HOME/.claude/.credentials.json"; then
  echo "the last words" >&2
  exit 7
fi
${stage.command}
`;
  writeFileSync(script, line);
  const restart = await supervisor.take({
    home,
    directory: stage.directory,
    script,
    port: stage.wrapperPort,
    user: stage.sshd.user,
    variables: { HOME: home, PATH: process.env["PATH"] ?? "", ...variables },
  });
  stage.configure({ ...host, restart }, { startTimeoutMs: 6000 });
  await until("the wrapper answers", async () => (await stage.chat("up?")) !== undefined);
  return {
    stage,
    supervisor,
    restart,
    refuseNewLogin: () => writeFileSync(join(stage.directory, "refusing"), ""),
    async [Symbol.asyncDispose]() {
      try {
        supervisor[Symbol.dispose]();
      } finally {
        await stage[Symbol.asyncDispose]();
      }
    },
  };
}

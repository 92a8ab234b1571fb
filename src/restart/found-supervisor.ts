import type { Restart } from "../hosts/host.ts";
import type { InspectReport } from "../remote/inspect-report.ts";

/** Which supervisor really runs the wrapper, by what the host shows. */
export interface FoundSupervisor {
  /** `the system unit claude-wrapper.service`. */
  readonly what: string;
  /** What shows it: `process 4711 python3 < 1 systemd`. */
  readonly evidence: string;
  /** What `restart` of hosts.json would have to say; undefined when that is not known. */
  readonly restart: Partial<Restart> | undefined;
}

/**
 * The supervisor behind a wrapper, the innermost first: a container is made by a daemon that is a unit itself, and so are
 * pm2 and supervisord. Undefined when nothing of the wrapper can be seen.
 */
export function findSupervisor(report: InspectReport): FoundSupervisor | undefined {
  const found =
    containerOf(report) ??
    pm2Of(report) ??
    supervisordOf(report) ??
    jobOf(report) ??
    unitOf(report);
  if (found !== undefined) return { ...found, evidence: renderChain(report) };
  if (report.chain.length === 0) return undefined;
  const { cwd, command } = report;
  return {
    what: `no supervisor (a plain process${startedFrom(report)})`,
    evidence: renderChain(report),
    restart: {
      kind: "process",
      ...(cwd === undefined ? {} : { directory: cwd }),
      ...(command === undefined ? {} : { command }),
    },
  };
}

/**
 * Whether hosts.json describes that supervisor, as far as the host shows it; `home` stands for `~` there. A command of
 * one's own may be anything.
 */
export function agrees({ restart: found }: FoundSupervisor, said: Restart, home: string): boolean {
  if (said.kind === "none" || said.kind === "command" || found === undefined) return true;
  if (found.kind !== said.kind) return false;
  // Its folder and command are compared on the host (`foreign` of the probe).
  if (said.kind === "process") return true;
  const asked = new Map<string, unknown>(Object.entries(said));
  return Object.entries(found).every(
    // supervisord's configuration may stand at its usual place, which hosts.json need not name.
    ([key, value]) => key === "config" || plain(asked.get(key), home) === plain(value, home),
  );
}

function plain(value: unknown, home: string): string {
  return String(value)
    .replace(/^~(?=\/)/, home)
    .replace(/(?<=.)\/$/, "");
}

type Found = Omit<FoundSupervisor, "evidence">;

function containerOf({
  containers,
  chain,
  isContained,
  isByPort,
}: InspectReport): Found | undefined {
  const pids = new Set(chain.map(({ pid }) => pid));
  // Docker's own proxy, or nobody at all, holds the port of a container on the host's side.
  const isHidden = !isByPort || chain[0]?.name === "docker-proxy";
  const one =
    containers.find(({ pid }) => pids.has(pid)) ??
    (isContained || isHidden ? containers[0] : undefined);
  if (one === undefined) {
    if (!isContained && chain[0]?.name !== "docker-proxy") return undefined;
    return { what: "a container that docker does not show to this account", restart: undefined };
  }
  const { name, service, directory } = one;
  if (service === undefined || directory === undefined) {
    return { what: `the container ${name}`, restart: { kind: "docker", container: name } };
  }
  return {
    what: `the compose service ${service} in ${directory}`,
    restart: { kind: "docker-compose", directory, service },
  };
}

function pm2Of({ pm2 }: InspectReport): Found | undefined {
  if (pm2 === undefined) return undefined;
  const { home, name } = pm2;
  if (name === undefined) return { what: `pm2 of ${home}`, restart: { kind: "pm2" } };
  return { what: `the pm2 process ${name} (${home})`, restart: { kind: "pm2", name } };
}

function supervisordOf({ supervisord, chain }: InspectReport): Found | undefined {
  if (supervisord === undefined) return undefined;
  const { program, config } = supervisord;
  // As the first process of a container it inherits whatever was started by hand.
  if (program === undefined && chain.at(-1)?.name.startsWith("supervisord") === true) {
    return { what: "supervisord, or by nobody", restart: undefined };
  }
  return {
    what: program === undefined ? "supervisord" : `the program ${program} of supervisord`,
    restart: {
      kind: "supervisor",
      ...(program === undefined ? {} : { program }),
      ...(config === undefined ? {} : { config }),
    },
  };
}

function jobOf({ job }: InspectReport): Found | undefined {
  if (job === undefined) return undefined;
  return {
    what: `the ${job.scope} job ${job.label} of launchd`,
    restart: { kind: "launchd", ...job },
  };
}

/**
 * `/system.slice/wrapper.service`, `/user.slice/user-1000.slice/user@1000.service/app.slice/wrapper.service`. What was
 * started by hand stays in the session or in the service of its sshd; what cron, at or a screen has started, in theirs.
 */
function unitOf({ cgroups }: InspectReport): Found | undefined {
  for (const path of cgroups) {
    const [, before = "", name] = /^(.*\/)([^/]+\.service)(?:\/.*)?$/.exec(path) ?? [];
    if (name === undefined || NO_SUPERVISOR.test(name)) continue;
    const scope = /\/user@\d+\.service\//.test(before) ? "user" : "system";
    return { what: `the ${scope} unit ${name}`, restart: { kind: "systemd", unit: name, scope } };
  }
  return undefined;
}

const NO_SUPERVISOR =
  /^(?:sshd?|ssh-session|cron|crond|anacron|atd|user|getty|serial-getty|console-getty|docker|containerd|dropbear)(?:@.*)?\.service$/;

function startedFrom({ cwd }: InspectReport): string {
  return cwd === undefined ? "" : ` in ${cwd}`;
}

/** From the process that listens upwards. */
function renderChain({ chain, cgroups }: InspectReport): string {
  const nearest = chain.slice(0, 5).map(({ pid, name }) => `${pid} ${name}`);
  const processes = [...nearest, ...(chain.length > 5 ? ["…"] : [])].join(" < ");
  const group = cgroups.find((path) => path.includes("."));
  return [processes || "its process cannot be seen", ...(group === undefined ? [] : [group])].join(
    "; ",
  );
}

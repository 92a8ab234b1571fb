import type { Answer } from "./frames.ts";
import { splitAfter } from "./host-files.ts";
import { printable } from "./printable.ts";

/** What the host shows of the program that answers on the wrapper's port, and of whatever has started it. */
export interface InspectReport {
  /** The process that listens, then its parent, and so on up to the first; empty when this account cannot see it. */
  readonly chain: readonly ProcessOfHost[];
  /** The first of them was found by the port itself, not by the supervisor that hosts.json names. */
  readonly isByPort: boolean;
  /** Paths of its control groups, as systemd makes them. */
  readonly cgroups: readonly string[];
  /** Of a pm2 above it: its folder, and what it calls the wrapper. */
  readonly pm2: { readonly home: string; readonly name: string | undefined } | undefined;
  readonly supervisord: SupervisordOfHost | undefined;
  /** The process is inside a container, whoever has made that. */
  readonly isContained: boolean;
  /** Containers that may be the wrapper's: the one it is in, or all that publish its port. */
  readonly containers: readonly ContainerOfHost[];
  readonly job: { readonly scope: "system" | "user"; readonly label: string } | undefined;
  /** The folder that it works in. */
  readonly cwd: string | undefined;
  /** Its program and, where that is no secret, its script: `python3 wrapper.py`. */
  readonly command: string | undefined;
  /** `HOME` and `CLAUDE_CONFIG_DIR` in its environment. */
  readonly wrapperHome: string | undefined;
  readonly wrapperDir: string | undefined;
  /** `Linux 6.1.0-13-amd64 x86_64`. */
  readonly system: string | undefined;
  readonly os: string | undefined;
  readonly backups: number;
  /** What `claude auth status --json` printed, when it was asked; empty when it could not be. */
  readonly claudeStatus: Buffer | undefined;
  /** The end of the wrapper's log, when it was asked for; not fit to be shown yet. */
  readonly log: readonly string[];
}

export interface ProcessOfHost {
  readonly pid: number;
  readonly name: string;
}

export interface SupervisordOfHost {
  /** The configuration file it was started with, if it was told one. */
  readonly config: string | undefined;
  /** What it calls the wrapper. */
  readonly program: string | undefined;
}

export interface ContainerOfHost {
  /** Of its main process, as the host counts. */
  readonly pid: number;
  readonly name: string;
  /** Where compose has made it: service and folder. */
  readonly service: string | undefined;
  readonly directory: string | undefined;
}

/** Reads the answer to `inspect`. Everything but the log and the status is one line, fit for a terminal. */
export function parseInspection(answer: Answer): InspectReport {
  const told = (key: string): string | undefined => {
    const value = answer.get(key);
    return value === undefined || value === "" ? undefined : printable(value);
  };
  const [, scope, label] = /^(system|user) (\S+)$/.exec(told("job") ?? "") ?? [];
  const pm2 = told("pm2");
  const status = answer.get("claude_status");
  return {
    chain: answer.all("process").map((line) => {
      const [pid, name] = splitAfter(line, 1);
      return { pid: Number(pid), name: printable(name) };
    }),
    isByPort: answer.get("holder") === "port",
    cgroups: [...new Set(answer.all("cgroup").map(printable))],
    pm2: pm2 === undefined ? undefined : { home: pm2, name: told("pm2_name") },
    supervisord:
      answer.get("supervisord") === undefined
        ? undefined
        : { config: told("supervisord"), program: told("program") },
    isContained: answer.get("container_id") !== undefined,
    containers: answer.all("container").flatMap(parseContainer),
    job: label === undefined ? undefined : { scope: scope === "system" ? "system" : "user", label },
    cwd: told("cwd"),
    command: told("command"),
    wrapperHome: told("wrapper_home"),
    wrapperDir: told("wrapper_dir"),
    system: told("system"),
    os: told("os"),
    backups: Number(answer.get("backups") ?? 0) || 0,
    claudeStatus:
      status === undefined ? undefined : Buffer.from(status === "none" ? "" : status, "hex"),
    log: answer.all("log"),
  };
}

/** `4711 /srv-api-1 api /srv`; without compose the last two are empty. */
function parseContainer(line: string): ContainerOfHost[] {
  const [pid = "", name = "", service = "", ...folder] = line.split(" ");
  if (name === "") return [];
  return [
    {
      pid: Number(pid),
      name: printable(name.replace(/^\//, "")),
      service: named(service),
      directory: named(folder.join(" ")),
    },
  ];
}

function named(text: string): string | undefined {
  return text === "" ? undefined : printable(text);
}

import { SyncCredsError } from "../errors.ts";
import { complaintAbout, type HostEntry } from "../hosts/complaint.ts";
import type { HostsContent } from "../hosts/schema.ts";
import type { Choice, Human } from "../ports.ts";
import { answerTo, inputNeeded, type SettingOptions } from "./hosts-questions.ts";

/**
 * How the wrapper is restarted; `undefined` where it is as `defaults` says. `mayDiffer`: a person is asked even where
 * `defaults` has an answer.
 */
export async function askForRestart(
  options: SettingOptions,
  { defaults }: HostsContent,
  human: Human | undefined,
  mayDiffer: boolean,
): Promise<HostEntry | undefined> {
  const usual = defaults?.restart;
  const kind = await askForKind(options, usual?.kind, human, mayDiffer);
  if (kind === undefined) return undefined;
  const restart: Record<string, string> = { kind };
  for (const field of restartFields(kind)) {
    const given = options[field.option];
    if (given === undefined && field.isOptional) continue;
    const answer = await askForField(field, kind, given, human);
    if (answer !== field.omitted) restart[field.key] = answer;
  }
  return restart;
}

const AS_USUAL = "as usual";

async function askForKind(
  { restart: given, ...options }: SettingOptions,
  usual: string | undefined,
  human: Human | undefined,
  mayDiffer: boolean,
): Promise<string | undefined> {
  const isOpen = given === undefined && (usual === undefined || mayDiffer);
  const picked = isOpen && human !== undefined ? await pickKind(usual, human) : given;
  if (picked === undefined && usual === undefined) throw inputNeeded("--restart");
  const kind = picked === AS_USUAL ? undefined : picked;
  if (kind !== undefined && !RESTART_KINDS.some(({ value }) => value === kind)) {
    throw new SyncCredsError(
      "USAGE",
      `\`--restart\` cannot be used: ${complaintAbout({ restart: { kind } }, ["restart"]) ?? kind}`,
    );
  }
  const own = kind === undefined ? [] : restartFields(kind).map(({ option }) => option);
  const foreign = RESTART_KINDS.flatMap(({ value }) => restartFields(value)).find(
    ({ option }) => options[option] !== undefined && !own.includes(option),
  );
  if (foreign === undefined) return kind;
  const owners = RESTART_KINDS.map(({ value }) => value).filter((one) =>
    restartFields(one).some(({ option }) => option === foreign.option),
  );
  throw new SyncCredsError(
    "USAGE",
    `\`${flagOf(foreign)}\` goes with \`--restart ${owners.join("` or `--restart ")}\``,
    {
      why:
        kind === undefined
          ? "`defaults` of hosts.json says how wrappers are restarted"
          : `a restart of kind \`${kind}\` has no use for it`,
      next: ["Name the kind, or take the option away"],
    },
  );
}

/** `supervisorConfig` is said as `--supervisor-config`. */
function flagOf({ option }: RestartField): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function pickKind(usual: string | undefined, human: Human): Promise<string> {
  const asUsual: Choice[] =
    usual === undefined ? [] : [{ value: AS_USUAL, name: `as \`defaults\` says: ${usual}` }];
  return human.pick("How is the wrapper restarted?", [...asUsual, ...RESTART_KINDS]);
}

async function askForField(
  field: RestartField,
  kind: string,
  given: string | undefined,
  human: Human | undefined,
): Promise<string> {
  const { key, message, initial, choices } = field;
  if (choices !== undefined && given === undefined && human !== undefined) {
    return await human.pick(message, choices);
  }
  const question = {
    flag: flagOf(field),
    message,
    ...(initial !== undefined && { initial }),
    complaint: (answer: string) =>
      complaintAbout({ restart: { kind, [key]: answer } }, ["restart", key]),
  };
  return await answerTo(question, given, human);
}

/** One thing to know about a restart: a key of `restart` in hosts.json, and the option that says it. */
interface RestartField {
  readonly key: string;
  readonly option: Exclude<keyof SettingOptions, "runAs" | "url" | "group" | "restart">;
  readonly message: string;
  readonly initial?: string;
  readonly choices?: readonly Choice[];
  /** Only said on the command line; nobody is asked for it. */
  readonly isOptional?: true;
  /** Not written: it goes without saying. */
  readonly omitted?: string;
}

/** The kinds of restart, as a person picks them. */
const RESTART_KINDS: readonly Choice[] = [
  { value: "systemd", name: "systemd  a unit of systemd" },
  { value: "process", name: "process  your command is stopped and started, detached" },
  { value: "docker-compose", name: "docker-compose  a service of docker compose, recreated" },
  { value: "docker", name: "docker  a container, restarted" },
  { value: "pm2", name: "pm2  an app of pm2" },
  { value: "supervisor", name: "supervisor  a program of supervisord" },
  { value: "launchd", name: "launchd  a job of launchd, on a Mac" },
  { value: "command", name: "command  by a command of your own" },
  { value: "none", name: "none  not at all: the wrapper starts `claude` for each request" },
];

/** What is to be known about a restart of a kind, in the order of the questions. */
function restartFields(kind: string): readonly RestartField[] {
  switch (kind) {
    case "systemd":
      return [UNIT, SCOPE];
    case "docker-compose":
      return [
        { ...DIRECTORY, message: "In which folder of the host is the compose file?" },
        SERVICE,
      ];
    case "docker":
      return [CONTAINER];
    case "pm2":
      return [APP];
    case "supervisor":
      return [PROGRAM, SUPERVISOR_CONFIG];
    case "launchd":
      return [LABEL, { ...SCOPE, ...LAUNCHD_SCOPE }, LOG];
    case "process":
      return [DIRECTORY, COMMAND, LOG];
    case "command":
      return [{ ...COMMAND, key: "restart", message: "Which command restarts it?" }, STATUS, LOG];
    default:
      return [];
  }
}

const UNIT: RestartField = { key: "unit", option: "unit", message: "Which unit?" };
const SCOPE: RestartField = {
  key: "scope",
  option: "scope",
  message: "Whose unit is it?",
  initial: "system",
  choices: [
    { value: "system", name: "the system's" },
    { value: "user", name: "the account's own (systemctl --user)" },
  ],
  omitted: "system",
};
const LAUNCHD_SCOPE = {
  message: "Whose job is it?",
  initial: "user",
  choices: [
    { value: "user", name: "the account's own (LaunchAgent)" },
    { value: "system", name: "the system's (LaunchDaemon)" },
  ],
  omitted: "user",
};
const SERVICE: RestartField = { key: "service", option: "service", message: "Which service?" };
const CONTAINER: RestartField = {
  key: "container",
  option: "container",
  message: "Which container?",
};
const APP: RestartField = { key: "name", option: "app", message: "Which app of `pm2 list`?" };
const PROGRAM: RestartField = {
  key: "program",
  option: "program",
  message: "Which program of `supervisorctl status`?",
};
const SUPERVISOR_CONFIG: RestartField = {
  key: "config",
  option: "supervisorConfig",
  message: "Where is supervisord's configuration?",
  isOptional: true,
};
const LABEL: RestartField = { key: "label", option: "label", message: "Which label has the job?" };
const DIRECTORY: RestartField = {
  key: "directory",
  option: "directory",
  message: "In which folder of the host does it run? (starts with / or ~/)",
};
const COMMAND: RestartField = {
  key: "command",
  option: "command",
  message: "Which command starts it, in the foreground?",
};
const STATUS: RestartField = {
  key: "status",
  option: "status",
  message: "Which command succeeds while it runs?",
  isOptional: true,
};
const LOG: RestartField = {
  key: "log",
  option: "log",
  message: "Where is its log?",
  isOptional: true,
};
